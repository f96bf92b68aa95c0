// Runs a benchmark by its name: each is a folder beside this file with a main.ts.
//
//   node bench/main.ts [NAME [ARGUMENTS...]]
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, "main.ts")));
const [name, ...args] = process.argv.slice(2);

if (name === undefined || !names.includes(name)) {
  console.error(`usage: nightjar bench NAME [--help]; benchmarks: ${names.join(", ")}`);
  process.exitCode = 2;
} else {
  // The benchmark gets Ctrl-C itself and cleans up; until it has, this process stays.
  process.on("SIGINT", () => undefined);
  const { status } = spawnSync(process.execPath, [join(folder, name, "main.ts"), ...args], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}
