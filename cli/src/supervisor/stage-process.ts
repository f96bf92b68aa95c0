// One stage's process: started, watched, started again with growing waits, ended.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { EXIT_BUS_MOVED, EXIT_GIVEN_UP, type FolderName, identify, type ProcessIdentity, pause } from "@nightjar/stage";
import type { StagePlan } from "./plan.ts";
import type { StageRecord } from "./record.ts";
import { NODE_FLAGS } from "./stage-environment.ts";

const RESTART_DELAY_MIN_MS = 50;
/** Who ran so long is taken to be well: its next restart comes at once again. */
const WELL_AFTER_MS = 30_000;
const LAST_LINES_MAX = 20;

export interface StageEvents {
  /** A process began or ended: the record has changed. */
  changed(): void;
  /** A line the stage wrote to standard error. */
  line(name: FolderName, text: string): void;
  /** It ended without being asked to; `delayMs` until it starts again, undefined when it shall not. */
  ended(name: FolderName, how: string, lastLines: readonly string[], delayMs: number | undefined): void;
  /** It failed again and again, and is not started any more; the others go on. */
  gaveUp(name: FolderName): void;
}

export interface StageOptions {
  plan: StagePlan;
  env: NodeJS.ProcessEnv;
  restartDelayMaxMs: number;
  /** Exit codes after which starting again is no use. */
  hopeless: readonly number[];
  events: StageEvents;
}

export class StageProcess {
  readonly plan: StagePlan;
  readonly record: StageRecord = { restarts: 0 };
  readonly #options: StageOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: StageOptions) {
    this.#options = options;
    this.plan = options.plan;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** SIGTERM, SIGKILL after `timeoutMs`; resolves when it has ended, with whether it had to be killed. */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#stopping.abort();
    let killed = false;
    this.#child?.kill("SIGTERM");
    const late = setTimeout(() => {
      killed = this.#child?.kill("SIGKILL") ?? false;
    }, timeoutMs);
    await this.#running;
    clearTimeout(late);
    return killed;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let delayMs = RESTART_DELAY_MIN_MS;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const { how, code, lastLines } = await this.#runOnce();
      if (signal.aborted) return;
      if (code === EXIT_GIVEN_UP) return this.#options.events.gaveUp(this.plan.name);
      const hopeless = code !== null && this.#options.hopeless.includes(code);
      if (performance.now() - startedAt > WELL_AFTER_MS || code === EXIT_BUS_MOVED) delayMs = RESTART_DELAY_MIN_MS;
      this.#options.events.ended(this.plan.name, how, lastLines, hopeless ? undefined : delayMs);
      if (hopeless) return;
      await pause(delayMs, signal);
      delayMs = Math.min(delayMs * 2, this.#options.restartDelayMaxMs);
      this.record.restarts++;
    }
  }

  async #runOnce(): Promise<{ how: string; code: number | null; lastLines: string[] }> {
    const { env, events, plan } = this.#options;
    // A session of its own: Ctrl-C at the terminal is for the supervisor, which ends the stages in their order. Its
    // standard input is a pipe that closes when the supervisor dies, however it dies.
    const child = spawn(process.execPath, [...NODE_FLAGS, plan.entry], {
      env,
      detached: true,
      stdio: ["pipe", "ignore", "pipe"],
    });
    this.#child = child;
    child.stdin.on("error", () => {});
    this.#note(child.pid === undefined ? undefined : identify(child.pid));
    const lastLines: string[] = [];
    createInterface({ input: child.stderr }).on("line", (text) => {
      lastLines.push(text);
      if (lastLines.length > LAST_LINES_MAX) lastLines.shift();
      events.line(plan.name, text);
    });
    let how: string;
    let code: number | null = null;
    try {
      // Not "close": something it started may hold standard error open for longer.
      const [exitCode, exitSignal] = await once(child, "exit");
      code = exitCode;
      how = exitSignal ?? `code ${exitCode}`;
    } catch (error) {
      how = (error as Error).message;
    }
    this.record.last_exit = how;
    this.#note(undefined);
    return { how, code, lastLines };
  }

  #note(identity: ProcessIdentity | undefined): void {
    delete this.record.pid;
    delete this.record.start_ticks;
    Object.assign(this.record, identity);
    this.#options.events.changed();
  }
}
