// Bundles the tests of the event types with what they import, their deeds compiled: an emulated machine takes minutes
// to strip types and to run a compiler, and a quarter of one to start a process for a test file, so they are one file.
import { copyFileSync, existsSync, globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { buildYesterdays, YESTERDAYS_OBJECT } from "../events/pins/yesterdays.ts";
import { buildDeed } from "../events/support/deed.ts";

const root = dirname(dirname(import.meta.dirname));
/** As deep as tests/events, so that what a test names beside and above itself is found. */
export const bundleFolder = join(root, "tests/build");
const REQUIRE = "const require = __createRequire(import.meta.url);";
/** What the addon's side reads beside itself. */
const ASSETS = ["native-probe/build/nightjar.bpf.o", "native-probe/build/Release/nightjar_probe.node"];

/** What is left to the running kernel, and why. */
const LEFT_OUT = new Map([["completeness", "20,000 processes take an emulated machine an hour"]]);

/** A package with a configuration of its own, so that ava finds the bundled tests and nothing else. */
const MANIFEST = '{ "type": "module" }\n';
const AVA_CONFIG = 'export default { files: ["all.js"], workerThreads: false, serial: true, timeout: "30m" };\n';

const folderOf = (path: string) => basename(dirname(path));
const testFiles = () => globSync("tests/events/*/*.test.ts", { cwd: root }).sort();

/** The folders of tests/events that are run under other kernels. */
export function allFolders(): string[] {
  return [...new Set(testFiles().map(folderOf))].filter((name) => !LEFT_OUT.has(name));
}

/** Bundles the tests of the folders `wanted` of tests/events, of all where there are none; the names of their files. */
export async function bundleTests(wanted: readonly string[]): Promise<string[]> {
  rmSync(bundleFolder, { recursive: true, force: true });
  const folders = wanted.length === 0 ? allFolders() : wanted;
  const tests = testFiles().filter((path) => folders.includes(folderOf(path)));
  const names = tests.map((path) => path.replace(/^tests\/events\/(.*)\.test\.ts$/, "$1"));
  const entries = names.map((name, index) => [`${name}.test`, join(root, tests[index] ?? "")]);
  await build({
    entryPoints: {
      ...Object.fromEntries(entries),
      attached: join(import.meta.dirname, "attached.ts"),
      all: join(import.meta.dirname, "all.ts"),
    },
    outdir: bundleFolder,
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
  for (const asset of ASSETS) copyFileSync(join(root, asset), join(bundleFolder, basename(asset)));
  addFiles(new Set(tests.map(folderOf)));
  writeFileSync(join(bundleFolder, "names.json"), JSON.stringify(names));
  writeFileSync(join(bundleFolder, "package.json"), MANIFEST);
  writeFileSync(join(bundleFolder, "ava.config.js"), AVA_CONFIG);
  return names;
}

/** What tests find beside themselves: their deed or the shared one, compiled, and other programs. */
function addFiles(folders: ReadonlySet<string>): void {
  const events = join(root, "tests/events");
  const shared = join(bundleFolder, "deed");
  buildDeed(join(events, "support"), shared);
  mkdirSync(join(bundleFolder, "support"));
  copyFileSync(shared, join(bundleFolder, "support/deed"));
  for (const folder of folders) {
    const [from, to] = [join(events, folder), join(bundleFolder, folder)];
    mkdirSync(to, { recursive: true });
    if (existsSync(join(from, "deed.c"))) buildDeed(from, join(to, "deed"));
    else copyFileSync(shared, join(to, "deed"));
    for (const program of globSync("*.ts", { cwd: from, exclude: ["*.test.ts"] }))
      copyFileSync(join(from, program), join(to, program));
    if (folder === "pins") buildYesterdays(join(to, YESTERDAYS_OBJECT));
  }
}
