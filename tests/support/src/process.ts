// Processes that a test starts: what they print is kept, and they, and only they, are ended with the test.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Teardown } from "./teardown.ts";
import { type WaitOptions, waitFor } from "./wait.ts";

/** What is kept of each output; the beginning goes first. */
const OUTPUT_CHARACTERS_MAX = 1024 * 1024;
/** From SIGTERM to SIGKILL. */
const STOP_MS_DEFAULT = 5_000;

export interface ProcessOptions {
  cwd?: string;
  /** Added to this process's environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Leads a process group of its own, and the whole group is ended: for programs that start others. */
  group?: boolean;
  /** The signal that asks it to end; SIGTERM by default. */
  stopSignal?: NodeJS.Signals;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class TestProcess {
  readonly pid: number;
  /** What it has printed so far. */
  stdout = "";
  stderr = "";
  /** Resolves when it has ended and all it printed was read. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #options: ProcessOptions;
  readonly #name: string;
  #exit: Exit | undefined;

  constructor(command: string, args: readonly string[], options: ProcessOptions) {
    const env = { ...process.env, ...options.env };
    const { cwd, group = false } = options;
    const child = spawn(command, args, { cwd, env, detached: group, stdio: ["pipe", "pipe", "pipe"] });
    this.#name = command;
    this.#child = child;
    this.#options = options;
    this.pid = child.pid ?? -1;
    const keep = (kept: string, chunk: Buffer) => (kept + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    child.stdout.on("data", (chunk) => {
      this.stdout = keep(this.stdout, chunk);
    });
    child.stderr.on("data", (chunk) => {
      this.stderr = keep(this.stderr, chunk);
    });
    // It may end before it has read its input.
    child.stdin.on("error", () => undefined);
    this.exited = once(child, "close").then(([code, signal]) => {
      this.#exit = { code, signal };
      return this.#exit;
    });
    // Whoever awaits `exited` gets the error (a program that is not there); nobody has to.
    this.exited.catch(() => undefined);
  }

  get running(): boolean {
    return this.pid > 0 && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get stdin(): NodeJS.WritableStream {
    return this.#child.stdin as NodeJS.WritableStream;
  }

  /** Sends a signal, to the whole group when it leads one; false when it has ended. */
  signal(signal: NodeJS.Signals): boolean {
    if (this.#options.group && this.pid > 0) return signalGroup(this.pid, signal);
    return this.running && this.#child.kill(signal);
  }

  /** Waits until a line it printed (on either output) matches, and returns the match. */
  async line(pattern: RegExp, options: Partial<WaitOptions> = {}): Promise<RegExpMatchArray> {
    const find = () => {
      const match = this.stdout.match(pattern) ?? this.stderr.match(pattern);
      if (!match && this.#exit) throw new Error(`it ended with ${JSON.stringify(this.#exit)}`);
      return match;
    };
    const explain = () => `${this.#name} printed:\n${this.stdout}\n${this.stderr}`;
    return waitFor(find, { what: `${this.#name} prints ${pattern}`, explain, ...options });
  }

  /** Asks it to end, kills it when it does not within `timeoutMs`, and returns how it ended. */
  async stop({ timeoutMs = STOP_MS_DEFAULT }: { timeoutMs?: number } = {}): Promise<Exit | undefined> {
    if (this.pid < 0) return undefined;
    this.signal(this.#options.stopSignal ?? "SIGTERM");
    try {
      await waitFor(() => this.#exit, { what: "it ends", timeoutMs });
    } catch {
      this.signal("SIGKILL");
    }
    const exit = await this.exited;
    // What it started may outlive it.
    if (this.#options.group) signalGroup(this.pid, "SIGKILL");
    return exit;
  }
}

function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Starts a program; it is stopped when the test is over. */
export function startProcess(
  test: Teardown,
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): TestProcess {
  const started = new TestProcess(command, args, options);
  test.teardown(async () => {
    await started.stop();
  });
  return started;
}
