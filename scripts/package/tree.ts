// Makes the self-contained build: a folder with its own Node and nats-server, the bundles, and the command.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { copyExternals } from "./copy-externals.ts";
import { lowestVersions } from "./needs.ts";

/** Of the repository. */
export const ROOT = dirname(dirname(import.meta.dirname));
/** Position independent archives, which `nightjar package` builds first (scripts/setup/static-libraries.sh). */
const STATIC_LIBRARIES = join(ROOT, ".tools/static");
/** Where the addon is compiled with them, kept for the next time. */
const ADDON_FOLDER = join(ROOT, ".tools/cache/static-addon");
/** Older kernels lack the ring buffer's or CO-RE's needs; tests/kernels runs on it. */
const KERNEL_MIN = "5.10";
const EXECUTABLE_MODE = 0o755;

/** What a build says of itself, in `build.json` at its root. */
export interface BuildFacts {
  /** Of the sensor, such as "0.1.0". */
  version: string;
  /** As Node names machines: "x64", "arm64". */
  arch: string;
  node: string;
  nats_server: string;
  kernel_min: string;
  /** Measured: the newest symbol version that a program or library in it asks for. */
  glibc_min: string;
  glibcxx_min: string;
}

const LAUNCHER = `#!/bin/sh
# The command of the installed product, on the Node that came with it.
root=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$root/bin/node" --max-semi-space-size=2 "$root/cli/dist/main.js" "$@"
`;

/** Maps of bundles are for who has the sources; a crash report names functions without them. */
const isShipped = (path: string) => !path.endsWith(".map");

/** Why nothing can be packaged here; undefined when it can. */
export function whyNoTree(): string | undefined {
  if (!existsSync(join(STATIC_LIBRARIES, "libelf.a"))) return "libbpf and libelf are not built; run ./nightjar package";
  if (!existsSync(join(ROOT, "cli/dist/main.js"))) return "nothing is built; run ./nightjar setup";
  return undefined;
}

/** Fills the empty folder `tree`; needs no network, and nothing outside `tree` at run time but glibc and libstdc++. */
export function makeTree(tree: string): BuildFacts {
  mkdirSync(join(tree, "bin"), { recursive: true });
  copyFileSync(process.execPath, join(tree, "bin/node"));
  copyFileSync(findNatsServer(), join(tree, "bin/nats-server"));
  writeFileSync(join(tree, "bin/nightjar"), LAUNCHER);
  for (const name of readdirSync(join(tree, "bin"))) chmodSync(join(tree, "bin", name), EXECUTABLE_MODE);
  for (const folder of ["cli", ...stagesBuilt()]) copyBundle(tree, folder);
  cpSync(join(ROOT, "services/rule-engine/rules"), join(tree, "services/rule-engine/rules"), { recursive: true });
  copyExternals(join(ROOT, "services"), tree);
  addStaticAddon(tree);
  copyFileSync(join(ROOT, "LICENSE"), join(tree, "LICENSE"));
  // Node takes a .js file for CommonJS where no manifest above it says otherwise.
  writeFileSync(join(tree, "package.json"), `${JSON.stringify({ private: true, type: "module" })}\n`);
  const facts = factsOf(tree);
  writeFileSync(join(tree, "build.json"), `${JSON.stringify(facts, null, 2)}\n`);
  return facts;
}

function stagesBuilt(): string[] {
  return readdirSync(join(ROOT, "services"))
    .map((name) => join("services", name))
    .filter((folder) => existsSync(join(ROOT, folder, "dist")));
}

function copyBundle(tree: string, folder: string): void {
  const from = join(ROOT, folder, "dist");
  cpSync(from, join(tree, folder, "dist"), { recursive: true, filter: isShipped });
}

function addStaticAddon(tree: string): void {
  const program = join(ROOT, "native-probe/scripts/build-static.ts");
  const args = [program, STATIC_LIBRARIES, ADDON_FOLDER];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the addon was not built:\n${stdout}${stderr}`);
  const name = "nightjar_probe.node";
  copyFileSync(join(ADDON_FOLDER, "build/Release", name), join(tree, "services/collector/dist", name));
}

/** The pinned one of the checkout, else the PATH's. */
function findNatsServer(): string {
  const folders = [join(ROOT, ".tools/nats-server"), ...(process.env.PATH ?? "").split(":")];
  const found = folders.map((folder) => join(folder, "nats-server")).find(existsSync);
  if (!found) throw new Error("no nats-server was found; run ./nightjar setup");
  return found;
}

function factsOf(tree: string): BuildFacts {
  const server = spawnSync(join(tree, "bin/nats-server"), ["--version"], { encoding: "utf8" });
  return {
    version: JSON.parse(readFileSync(join(ROOT, "packages/stage/package.json"), "utf8")).version,
    arch: process.arch,
    node: process.versions.node,
    nats_server: /v(\d+\.\d+\.\d+)/.exec(server.stdout)?.[1] ?? "",
    kernel_min: KERNEL_MIN,
    ...lowestVersions(programsIn(tree)),
  };
}

/** Every file that the dynamic linker reads. */
function programsIn(tree: string): string[] {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.endsWith(".node") || ["node", "nats-server"].includes(basename(path)));
}
