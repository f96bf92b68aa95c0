// Runs operate.c: one process for the whole benchmark, told line by line what to do.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const OPERATIONS = ["getppid", "open", "write", "exec", "connect"] as const;
export type Operation = (typeof OPERATIONS)[number];

export class Operator {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** Compiles it into `folder` and pins it to `cpu`. */
  constructor(folder: string, cpu: number) {
    const [program, file] = [join(folder, "operate"), join(folder, "file")];
    execFileSync("cc", ["-O2", "-static", "-o", program, join(import.meta.dirname, "operate.c")]);
    writeFileSync(file, "");
    const child = spawn(program, [file, String(cpu)], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** CPU time of one operation in each batch, in ns. */
  async measure(operation: Operation, batches: number, operations: number): Promise<number[]> {
    return (await this.#do(`${operation} ${batches} ${operations}`)) as number[];
  }

  /** Opens and closes at a rate; what was really reached. */
  async openAt(perSecond: number, seconds: number): Promise<{ done: number; seconds: number }> {
    return (await this.#do(`rate ${perSecond} ${seconds}`)) as { done: number; seconds: number };
  }

  end(): void {
    this.#child.stdin?.end();
  }

  async #do(line: string): Promise<unknown> {
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process that does the operations has ended");
    return JSON.parse(value as string);
  }
}
