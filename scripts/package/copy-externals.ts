// Copies what bundles leave outside, and what that needs in turn, into one flat node_modules.
import { cpSync, existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { EXTERNALS } from "../externals.ts";

/** Of a published package, what nothing reads at run time: sources, maps, types, other machines' binaries. */
const LEFT_OUT: readonly RegExp[] = [
  /\.(map|d\.[cm]?ts|md|cc|c|h|gyp|gypi|musl\.node)$/,
  /\/(deps|src|docs?|tests?|examples?|\.github)$/,
  new RegExp(`/prebuilds/(?!${process.platform}-${process.arch}$)[^/]+$`),
  // PGlite's extensions, of which the portal loads none, and its builds for require and for browsers.
  /\/pglite\/dist\/([^/]+\.(tar\.gz|cjs)|fs\/(?!nodefs)[^/]*|contrib|react|vue|worker|vector|live)$/,
  /\/browser-level$/,
];

/** A machine's own packages, in the manifests' optionalDependencies, are there for that machine only. */
const isLeftOut = (path: string) => LEFT_OUT.some((pattern) => pattern.test(path.split(sep).join("/")));

/** Fills `tree`/node_modules with `EXTERNALS` as the packages below `services` have them. */
export function copyExternals(services: string, tree: string): void {
  const copied = new Map<string, string>();
  const owners = ["aggregator", "enricher", "portal", "rule-engine", "uplink"].map((name) => join(services, name));
  for (const name of EXTERNALS) {
    const owner = owners.find((folder) => existsSync(join(folder, "node_modules", name)));
    if (owner) copy(name, realpathSync(join(owner, "node_modules", name)), join(tree, "node_modules"), copied);
  }
}

function copy(name: string, folder: string, to: string, copied: Map<string, string>): void {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const before = copied.get(name);
  if (before === manifest.version) return;
  if (before) throw new Error(`${name} is needed as ${before} and as ${manifest.version}; one flat folder holds one`);
  copied.set(name, manifest.version);
  cpSync(folder, join(to, name), {
    recursive: true,
    dereference: true,
    filter: (source) => source === folder || !isUnneeded(folder, source),
  });
  const needed = { ...manifest.dependencies, ...manifest.optionalDependencies };
  // pnpm lays what a package needs beside it.
  const beside = name.includes("/") ? dirname(dirname(folder)) : dirname(folder);
  for (const dependency of Object.keys(needed)) {
    const found = join(beside, dependency);
    if (existsSync(found) && statSync(found).isDirectory()) copy(dependency, realpathSync(found), to, copied);
  }
}

function isUnneeded(folder: string, source: string): boolean {
  return basename(source) === "node_modules" || isLeftOut(source.slice(dirname(folder).length));
}
