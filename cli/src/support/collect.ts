// Collects one item of a support package: whatever goes wrong is said, and nothing takes for ever.
import { execFile } from "node:child_process";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Item, Source } from "./items.ts";

/** Of what is longer the end is kept: that is where it went wrong. */
export const ITEM_BYTES_MAX = 4 * 1024 * 1024;
const PROGRAM_MS_MAX = 20_000;
const NIGHTJAR_MS_MAX = 60_000;

/** Runs a command of our own: its exit code, and what it wrote. */
export type RunNightjar = (args: readonly string[], signal: AbortSignal) => Promise<Ran>;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Collected {
  name: string;
  text: string;
  /** It is longer, and its beginning is left out. */
  isCut: boolean;
  /** Why it is not there, or not whole. */
  problem?: string;
}

type Part = Omit<Collected, "name">;

/** Never rejects. */
export async function collect({ name, source }: Item, run: RunNightjar, signal: AbortSignal): Promise<Collected> {
  try {
    return { name, ...(await partOf(source, run, signal)) };
  } catch (error) {
    return { name, text: "", isCut: false, problem: (error as Error).message };
  }
}

async function partOf(source: Source, run: RunNightjar, signal: AbortSignal): Promise<Part> {
  if ("file" in source) return readEnd(source.file);
  if ("program" in source) return runProgram(source.program, signal);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(NIGHTJAR_MS_MAX)]);
  if ("ask" in source) return cut(await orAborted(source.ask(limit), limit));
  const { code, stdout, stderr } = await orAborted(run(source.nightjar, limit), limit);
  const problem = code === 0 ? {} : { problem: `exit code ${code}: ${stderr.trim()}` };
  return { ...cut(stdout + stderr), ...problem };
}

/** What does not heed the signal is left behind. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new Error("it took too long"));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
}

function runProgram([program, ...args]: readonly [string, ...string[]], signal: AbortSignal): Promise<Part> {
  const options = { timeout: PROGRAM_MS_MAX, killSignal: "SIGKILL", maxBuffer: ITEM_BYTES_MAX, signal } as const;
  const { promise, resolve } = Promise.withResolvers<Part>();
  execFile(program, args, options, (error, stdout, stderr) => {
    if (!error) return resolve({ text: stdout + stderr, isCut: false });
    if (error.code === "ENOENT") return resolve({ text: "", isCut: false, problem: `${program} is not installed` });
    if ((error.code as unknown) === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return resolve({ text: stdout, isCut: true });
    const why = error.killed ? "it took too long" : `exit code ${error.code}: ${stderr.trim()}`;
    resolve({ text: stdout + stderr, isCut: false, problem: why });
  });
  return promise;
}

/** Files of /proc tell no size, so that is read to its end too. A FIFO in the place of a file is not waited for. */
function readEnd(file: string): Part {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${file} is no file`);
    const start = Math.max(0, stat.size - ITEM_BYTES_MAX);
    const bytes = Buffer.alloc(ITEM_BYTES_MAX);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(fd, bytes, length, bytes.length - length, stat.size === 0 ? null : start + length);
    }
    return { text: bytes.toString("utf8", 0, length), isCut: start > 0 };
  } finally {
    closeSync(fd);
  }
}

function cut(text: string): Part {
  return { text: text.slice(-ITEM_BYTES_MAX), isCut: text.length > ITEM_BYTES_MAX };
}
