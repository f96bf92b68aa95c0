// A stage's lives: how often it has failed in a row, kept over its deaths, and what follows from that.
import { join } from "node:path";
import { readSmallFile, writeFileAtomic } from "./state-folder.ts";

/** After so many failures in a row the next life is one in safe mode; one that fails too is the last. */
export const FAILURES_MAX = 10;
/** Who has worked for so long is well, and its failures are forgotten. */
export const WELL_AFTER_MS = 60_000;
const FILE = "lives.json";

/** What a life is to be like. */
export type LifePlan = "normal" | "safe" | "stop";

interface Record {
  /** In a row. */
  failures: number;
  /** That process has not told its end. */
  running: boolean;
  ready: boolean;
}

export class Life {
  readonly plan: LifePlan;
  /** The life before ended without a word: by a signal, or a crash below JavaScript. */
  readonly followsSilence: boolean;
  readonly #file: string;
  #record: Record;
  #well: NodeJS.Timeout | undefined;

  /**
   * Begins a life of the stage with this folder. An end without a word counts as a failure where the stage had not been
   * ready: one that worked may have been killed by anybody.
   */
  constructor(folder: string) {
    this.#file = join(folder, FILE);
    const before = readRecord(this.#file);
    this.followsSilence = before.running;
    const failures = before.failures + (before.running && !before.ready ? 1 : 0);
    this.plan = failures > FAILURES_MAX ? "stop" : failures === FAILURES_MAX ? "safe" : "normal";
    // Who starts it after it has stopped wants it to try again.
    this.#record = { failures: this.plan === "stop" ? 0 : failures, running: this.plan !== "stop", ready: false };
    this.#write();
  }

  /** In a row, up to now. */
  get failures(): number {
    return this.#record.failures;
  }

  /** It does its work; calls `well` when it has done so for long enough. */
  ready(well: () => void): void {
    this.#record = { ...this.#record, ready: true };
    this.#write();
    const isWell = () => {
      this.#forget(true);
      well();
    };
    this.#well = setTimeout(isWell, WELL_AFTER_MS).unref();
  }

  /** What made it fail is out of the way. */
  cured(): void {
    this.#forget(true);
  }

  /** It ends by a bug. */
  failed(): void {
    clearTimeout(this.#well);
    this.#record = { ...this.#record, failures: this.#record.failures + 1, running: false };
    this.#write();
  }

  /** It ends because it was asked to, or as it should. `isAsked`: what was before does not count any more. */
  ended(isAsked: boolean): void {
    clearTimeout(this.#well);
    if (isAsked) {
      this.#forget(false);
      return;
    }
    this.#record = { ...this.#record, running: false };
    this.#write();
  }

  #forget(running: boolean): void {
    this.#record = { ...this.#record, failures: 0, running };
    this.#write();
  }

  #write(): void {
    try {
      writeFileAtomic(this.#file, JSON.stringify(this.#record));
    } catch {
      // A full disk must not end the stage: what is counted is lost then.
    }
  }
}

function readRecord(file: string): Record {
  const none = { failures: 0, running: false, ready: false };
  try {
    const { failures, running, ready } = JSON.parse(readSmallFile(file) ?? "{}");
    if (!Number.isSafeInteger(failures) || failures < 0) return none;
    return { failures, running: running === true, ready: ready === true };
  } catch {
    return none;
  }
}
