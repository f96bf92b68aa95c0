// Bundles the tests of the event types with what they import, their deeds compiled: an emulated machine takes minutes
// to strip types and to run a compiler.
import { copyFileSync, existsSync, globSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { buildDeed } from "../events/support/deed.ts";

const root = dirname(dirname(import.meta.dirname));
const REQUIRE = "const require = __createRequire(import.meta.url);";
/** What the addon's side reads beside itself. */
const ASSETS = ["native-probe/build/nightjar.bpf.o", "native-probe/build/Release/nightjar_probe.node"];

/** What is left to the running kernel, and why. */
const LEFT_OUT = new Map([["completeness", "20,000 processes take an emulated machine an hour"]]);

/** A package with a configuration of its own, so that ava finds the bundled tests and nothing else. */
const MANIFEST = '{ "type": "module" }\n';
const AVA_CONFIG =
  'export default { files: ["*/*.test.js"], workerThreads: false, concurrency: 1, serial: true, timeout: "30m" };\n';

const nameOf = (path: string) => basename(dirname(path));

/** Bundles the tests of the folders `names` of tests/events, of all where there are none, into `outdir`. */
export async function bundleTests(outdir: string, names: readonly string[]): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  const found = globSync("tests/events/*/*.test.ts", { cwd: root }).sort();
  const tests = found.filter((path) =>
    names.length === 0 ? !LEFT_OUT.has(nameOf(path)) : names.includes(nameOf(path)),
  );
  const entries = tests.map((path) => [path.replace(/^tests\/events\/(.*)\.ts$/, "$1"), join(root, path)]);
  await build({
    entryPoints: { ...Object.fromEntries(entries), attached: join(import.meta.dirname, "attached.ts") },
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: ["ava"],
    keepNames: true,
    banner: { js: `import { createRequire as __createRequire } from "node:module";${REQUIRE}` },
    logLevel: "warning",
  });
  for (const asset of ASSETS) copyFileSync(join(root, asset), join(outdir, basename(asset)));
  // The deed that makes any one call, beside the chunk that runs it: shared, or of the only test that needs it.
  const shared = join(root, "tests/events/support");
  buildDeed(shared, join(outdir, "deed"));
  for (const folder of new Set(tests.map(dirname))) {
    const own = join(root, folder);
    buildDeed(existsSync(join(own, "deed.c")) ? own : shared, join(outdir, basename(folder), "deed"));
  }
  writeFileSync(join(outdir, "package.json"), MANIFEST);
  writeFileSync(join(outdir, "ava.config.js"), AVA_CONFIG);
}
