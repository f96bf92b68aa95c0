// Makes what is delivered: the self-contained build, and packages of it.
//
//   ./nightjar package [--format tree]... [--out FOLDER]
//
// Into dist/ by default. Prints the path of each, a line each. Ends with 0, or 2 when the arguments are
// wrong, or 1 when something could not be made.
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { makeTree, ROOT, whyNoTree } from "./package/tree.ts";

const USAGE = "usage: nightjar package [--format tree]... [--out FOLDER]";

function main(): number {
  const options = { format: { type: "string", multiple: true }, out: { type: "string" } } as const;
  let values: { format?: string[]; out?: string };
  try {
    values = parseArgs({ options }).values;
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
  const tree = join(out, "nightjar");
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { version, arch, glibc_min, kernel_min } = makeTree(tree);
  console.error(`nightjar ${version} for ${arch}: Linux ${kernel_min} or later, glibc ${glibc_min} or later`);
  console.log(tree);
  return 0;
}

process.exitCode = main();
