// Compiles and runs a test's deed: a small C program, since only that makes exactly the call that is meant.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { type Teardown, temporaryFolder } from "@nightjar/test-support";

export interface DeedOptions {
  cwd?: string;
  uid?: number;
  gid?: number;
  /** The whole environment; that of the test by default. */
  env?: Record<string, string>;
  /** What the three standard descriptors are; pipes by default. */
  stdio?: ("pipe" | "ignore" | number)[];
}

export interface Done {
  pid: number;
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
}

/** Runs a program to its end; it must start. */
export function run(command: string, args: readonly string[], options: DeedOptions = {}): Done {
  const { pid, status, signal, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", ...options });
  if (error) throw error;
  // A deed complains when it could not be done.
  if (stderr) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return { pid, status, signal, stdout };
}

export class Deed {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Runs it to its end. */
  do(args: readonly string[], options: DeedOptions = {}): Done {
    return run(this.path, args, options);
  }
}

/** Compiles `deed.c` of a folder; `more` are further arguments of the compiler. */
export function buildDeed(folder: string, path: string, more: readonly string[] = []): void {
  const args = ["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", ...more, join(folder, "deed.c"), "-o", path];
  const { status, error, stderr } = spawnSync("clang", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`clang ${args.join(" ")}: ${error?.message ?? ""}${stderr ?? ""}`);
}

/** Has `deed.c` of a test's folder compiled in a temporary one; a bundled test has it beside itself, compiled. */
export function compileDeed(t: Teardown, folder: string, more: readonly string[] = []): Deed {
  const path = join(temporaryFolder(t), "deed");
  const compiled = join(folder, "deed");
  if (existsSync(compiled)) copyFileSync(compiled, path);
  else buildDeed(folder, path, more);
  return new Deed(path);
}
