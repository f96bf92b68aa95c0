// Bundles a service into dist/: plain JavaScript starts faster than types stripped at run time, and takes 12 MB less.
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { build, type Plugin } from "esbuild";

/** What cannot be bundled: it finds its own files (native addons, WebAssembly, threads) beside its modules. */
const EXTERNAL = ["classic-level", "level", "piscina", "@electric-sql/pglite"];

/** What a bundle reads at run time and needs beside itself, from the folder of its package. */
const ASSETS = [
  "src/page.html",
  "node_modules/@nightjar/native-probe/build/nightjar.bpf.o",
  "node_modules/@nightjar/native-probe/build/Release/nightjar_probe.node",
];

/** Files that run as processes or threads of their own. */
const ENTRIES = ["src/main.ts", "src/worker.ts", "src/make-store.ts"];

const folder = process.cwd();
const source = join(folder, "src");
const outdir = join(folder, "dist");
const entryPoints = ENTRIES.map((entry) => join(folder, entry)).filter(existsSync);
const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
if (entryPoints.length === 0) throw new Error(`${name} has none of ${ENTRIES.join(", ")}`);

/**
 * Keeps what a module finds beside itself: a program of this package is there under its bundled name; a module of
 * another package (the probe's addon) still looks where its source lies.
 */
const places: Plugin = {
  name: "places",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes("import.meta.")) return undefined;
      if (path.startsWith(source)) {
        const contents = text.replace(/"\.\/([\w-]+)\.ts", import\.meta\.url/g, '"./$1.js", import.meta.url');
        return { contents, loader: "ts" };
      }
      const url = `new URL(${JSON.stringify(relative(outdir, path))}, import.meta.url)`;
      const here = `decodeURIComponent(new URL(".", ${url}).pathname)`;
      return { contents: text.replaceAll("import.meta.dirname", here), loader: "ts" };
    });
  },
};

await build({
  entryPoints,
  outdir,
  plugins: [places],
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  external: EXTERNAL,
  sourcemap: "linked",
  // Modules that are CommonJS inside the bundle still call require.
  banner: { js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);' },
  logLevel: "warning",
});
for (const asset of ASSETS.map((path) => join(folder, path)).filter(existsSync)) {
  copyFileSync(asset, join(outdir, basename(asset)));
}
process.stdout.write(`bundled ${entryPoints.map((entry) => basename(entry)).join(", ")} of ${name}\n`);
