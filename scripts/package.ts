// Makes what is delivered: the self-contained build, and packages of it.
//
//   ./nightjar package [--format tree|deb|rpm]... [--out FOLDER] [--version VERSION]
//
// All formats by default, into dist/; the version is the sensor's unless another is named. Prints the path of each, a
// line each. Ends with 0, or 2 when the arguments are wrong, or 1 when something could not be made.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { makeDeb } from "./package/deb.ts";
import type { PackageFacts } from "./package/facts.ts";
import { layOut } from "./package/installed.ts";
import { makeRpm } from "./package/rpm.ts";
import { type BuildFacts, makeTree, ROOT, whyNoTree } from "./package/tree.ts";

const USAGE = "usage: nightjar package [--format tree|deb|rpm]... [--out FOLDER] [--version VERSION]";
/** What makes a package of what was laid out: its root folder, its facts, where to; returns the path. */
const PACKAGERS = { deb: makeDeb, rpm: makeRpm } as const;
const FORMATS = ["tree", ...Object.keys(PACKAGERS)];

function makeAll(formats: readonly string[], out: string, version: string | undefined): string[] {
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(join(out, "building-"));
  const built = join(work, "nightjar");
  const facts = { ...makeTree(built), ...(version ? { version } : {}) };
  console.error(
    `nightjar ${facts.version} for ${facts.arch}: Linux ${facts.kernel_min}, glibc ${facts.glibc_min} or later`,
  );
  const made: string[] = [];
  if (formats.includes("tree")) {
    made.push(join(out, "nightjar"));
    rmSync(join(out, "nightjar"), { recursive: true, force: true });
    cpSync(built, join(out, "nightjar"), { recursive: true });
  }
  made.push(...makePackages(formats, built, facts, out));
  rmSync(work, { recursive: true });
  return made;
}

function makePackages(formats: readonly string[], built: string, facts: BuildFacts, out: string): string[] {
  const wanted = Object.entries(PACKAGERS).filter(([format]) => formats.includes(format));
  if (wanted.length === 0) return [];
  const root = join(built, "..", "root");
  layOut(built, root);
  const packageFacts: PackageFacts = { ...facts, installed_kib: Math.ceil(bytesOf(root) / 1024) };
  return wanted.map(([, make]) => make(root, packageFacts, out));
}

function bytesOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.reduce((sum, path) => sum + statSync(path).size, 0);
}

function main(): number {
  const options = {
    format: { type: "string", multiple: true },
    out: { type: "string" },
    version: { type: "string" },
  } as const;
  let values: { format?: string[]; out?: string; version?: string };
  try {
    values = parseArgs({ options }).values;
    const unknown = values.format?.find((format) => !FORMATS.includes(format));
    if (unknown) throw new Error(`no format is called "${unknown}"`);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const problem = whyNoTree();
  if (problem) {
    console.error(`nightjar: ${problem}`);
    return 1;
  }
  const out = resolve(values.out ?? join(ROOT, "dist"));
  console.log(makeAll(values.format ?? FORMATS, out, values.version).join("\n"));
  return 0;
}

process.exitCode = main();
