// Bundles a service into dist/: plain JavaScript starts faster than types stripped at run time, and takes 12 MB less.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { EXTERNALS } from "./externals.ts";

/** What a bundle reads at run time and needs beside itself, from the folder of its package. */
const ASSETS = [
  "src/page.html",
  "node_modules/@nightjar/native-probe/build/nightjar.bpf.o",
  "node_modules/@nightjar/native-probe/build/Release/nightjar_probe.node",
  "../../packages/notify/build/nightjar_notify.node",
];

/** Files that run as processes or threads of their own. */
const ENTRIES = ["src/main.ts", "src/worker.ts", "src/make-store.ts"];

const REQUIRE = "const require = __createRequire(import.meta.url);";

/** What is imported when it is needed becomes a file of its own, whose text is not in memory before. */
const SPLIT = "--split";

const folder = process.cwd();
const outdir = join(folder, "dist");
const entryPoints = ENTRIES.map((entry) => join(folder, entry)).filter(existsSync);
const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
if (entryPoints.length === 0) throw new Error(`${name} has none of ${ENTRIES.join(", ")}`);

const { metafile } = await build({
  entryPoints,
  outdir,
  bundle: true,
  platform: "node",
  format: "esm",
  splitting: process.argv.includes(SPLIT),
  metafile: true,
  target: "node24",
  external: [...EXTERNALS],
  // The text of a bundle stays in memory as long as its process lives.
  minify: true,
  keepNames: true,
  sourcemap: "linked",
  // Modules that are CommonJS inside the bundle still call require.
  banner: { js: `import { createRequire as __createRequire } from "node:module";${REQUIRE}` },
  logLevel: "warning",
});
const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
// Names of chunks have a hash: those of the build before stay beside them otherwise.
for (const file of readdirSync(outdir))
  if (/\.js(\.map)?$/.test(file) && !written.has(file)) rmSync(join(outdir, file));
for (const asset of ASSETS.map((path) => join(folder, path)).filter(existsSync)) {
  const copy = join(outdir, basename(asset));
  // A running collector has the addon mapped: it keeps the file it has, where writing over it would kill it (SIGBUS).
  rmSync(copy, { force: true });
  copyFileSync(asset, copy);
}
process.stdout.write(`bundled ${entryPoints.map((entry) => basename(entry)).join(", ")} of ${name}\n`);
