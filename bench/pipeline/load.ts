// Compiles and runs the load generator: storms, and single deeds that a rule wants to see.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

export type Operation = "exec" | "open" | "connect";

export interface Storm {
  operation: Operation;
  /** It ends at the first of the two. */
  countMax: number;
  secondsMax: number;
  /** Operations a second; 0 for as fast as it goes. */
  rate: number;
}

export interface StormResult {
  operation: Operation;
  done: number;
  failed: number;
  wallS: number;
  userS: number;
  systemS: number;
}

/** A deed's times in ns. */
export interface Deed {
  monotonicNs: bigint;
  bootBeforeNs: bigint;
  bootAfterNs: bigint;
}

export class Load {
  readonly #program: string;
  readonly #file: string;

  private constructor(program: string, file: string) {
    this.#program = program;
    this.#file = file;
  }

  /** Compiles load.c into `folder`, statically, so that an exec is nothing but an exec. */
  static async compile(folder: string): Promise<Load> {
    const source = join(folder, "load.c");
    const program = join(folder, "load");
    const file = join(folder, "file");
    copyFileSync(join(import.meta.dirname, "load.c"), source);
    writeFileSync(file, "");
    await run("cc", ["-O2", "-static", "-o", program, source]);
    return new Load(program, file);
  }

  async storm({ operation, countMax, secondsMax, rate }: Storm, signal?: AbortSignal): Promise<StormResult> {
    const args = [operation, countMax, secondsMax, rate, this.#file].map(String);
    const { stdout } = await run(this.#program, args, { ...(signal && { signal }) });
    return JSON.parse(stdout) as StormResult;
  }

  /** Starts a process that opens `file` whenever it is told to. */
  deeds(file: string): DeedProcess {
    return new DeedProcess(this.#program, file);
  }
}

export class DeedProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, file: string) {
    const child = spawn(program, ["deeds", file], { stdio: ["pipe", "pipe", "inherit"] });
    // What ended is noticed by its output, which ends too.
    child.stdin.on("error", () => undefined);
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.pid = child.pid ?? -1;
  }

  /** Does it once, and returns when. */
  async do(): Promise<Deed> {
    this.#child.stdin?.write("\n");
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process that does the deeds has ended");
    const [monotonicNs = 0n, bootBeforeNs = 0n, bootAfterNs = 0n] = (value as string).split(" ").map(BigInt);
    return { monotonicNs, bootBeforeNs, bootAfterNs };
  }

  end(): void {
    this.#child.stdin?.end();
  }
}
