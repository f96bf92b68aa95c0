// Waits for a condition with a deadline; the one place in the tests that may look at the clock.
import { setTimeout as pause } from "node:timers/promises";

/** How long a wait may take unless a test says otherwise: ample, since it is only spent when something is wrong. */
const TIMEOUT_MS_DEFAULT = 10_000;
/** Between two looks: short enough not to be noticed, long enough to leave the processor to what is awaited. */
const INTERVAL_MS_DEFAULT = 20;
/** Every deadline is so many times as long: 1, or what the environment says where all is slower (tests/kernels). */
export const TIME_FACTOR = Number(process.env.NIGHTJAR_TEST_TIME_FACTOR ?? 1);

export interface WaitOptions {
  /** Names the condition in the error: "the stage is ready". */
  what: string;
  timeoutMs?: number;
  intervalMs?: number;
  /** Called when the time is over; its answer is added to the error. */
  explain?: () => string | Promise<string>;
}

/**
 * Asks `condition` until its answer is neither false, null nor undefined, and returns that answer. What it throws
 * counts as "not yet". Throws when the time is over, with what was awaited and the last thing thrown.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = TIMEOUT_MS_DEFAULT, intervalMs = INTERVAL_MS_DEFAULT, explain }: WaitOptions,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + timeoutMs * TIME_FACTOR;
  for (let cause: unknown; ; ) {
    try {
      const answer = await condition();
      if (answer !== false && answer !== null && answer !== undefined) {
        return answer as Exclude<T, false | null | undefined>;
      }
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) {
      const thrown = cause instanceof Error ? `; it threw: ${cause.message}` : "";
      const why = explain ? `\n${await explain()}` : "";
      throw new Error(`waited ${timeoutMs * TIME_FACTOR} ms in vain: ${what}${thrown}${why}`, { cause });
    }
    await pause(intervalMs);
  }
}

/**
 * Lets `ms` go by, for a test that acts at a moment chosen at random (a kill in mid-work, a steady load's next turn).
 * Never to wait for something: that is `waitFor`.
 */
export async function moment(ms: number): Promise<void> {
  await pause(ms);
}

/** One time limit for several waits after one another. */
export class Deadline {
  readonly #end: number;

  constructor(timeoutMs: number) {
    this.#end = performance.now() + timeoutMs * TIME_FACTOR;
  }

  /** What is left in ms, never less than 0. */
  get leftMs(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** `waitFor` within what is left. */
  waitFor<T>(condition: () => T | Promise<T>, options: Omit<WaitOptions, "timeoutMs">) {
    return waitFor(condition, { ...options, timeoutMs: this.leftMs / TIME_FACTOR });
  }
}
