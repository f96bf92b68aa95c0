// Whether the portal can be reached: said once, remembered as a health issue, and a bell for those who wait for it.
import type { Logger } from "@nightjar/stage";
import type { PortalFailure } from "./failure.ts";
import { PORTAL_ABSENT_MS_MAX, SAME_ERROR_LOG_MS } from "./limits.ts";

export interface LinkOptions {
  log: Pick<Logger, "error" | "info">;
  /** Raised with what is wrong, resolved when it is over. */
  raise: (message: string) => void;
  resolve: () => void;
  /** Told of each call that failed. */
  failed: () => void;
  /** How long no call may be made, which no bell ends; by default calls may always be made. */
  heldMs?: () => number;
  /** Milliseconds that never go back. */
  clock: () => number;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #waiting = new Set<() => void>();
  readonly #onReturn: (() => void)[] = [];
  readonly #onFailure: (() => void)[] = [];
  #failed = false;
  #raised = false;
  #absentSinceMs: number | undefined;
  #logged = { what: "", atMs: 0 };

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The last call failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** A call was answered: whoever waits for the portal tries at once. */
  up(): void {
    if (!this.#failed) return;
    this.#failed = false;
    this.#absentSinceMs = undefined;
    if (this.#raised) {
      this.#raised = false;
      this.#logged = { what: "", atMs: 0 };
      this.#options.log.info("the portal is reached again");
      this.#options.resolve();
    }
    this.nudge();
  }

  /** A call failed. */
  down(failure: PortalFailure): void {
    const { log, raise, failed, clock } = this.#options;
    const now = clock();
    if (!this.#failed) for (const noted of this.#onFailure) noted();
    this.#failed = true;
    // No call was made.
    if (failure.kind === "held") return;
    failed();
    if (failure.kind === "absent") {
      this.#absentSinceMs ??= now;
      if (now - this.#absentSinceMs < PORTAL_ABSENT_MS_MAX) return;
    }
    const what = `${failure.message}, ${failure.resp}`;
    if (this.#logged.what !== what || now - this.#logged.atMs >= SAME_ERROR_LOG_MS) {
      this.#logged = { what, atMs: now };
      log.error(failure.message, { resp: failure.resp });
    }
    this.#raised = true;
    raise(`the portal cannot be reached: ${failure.message}`);
  }

  /** `noted` is called when a call fails after one that did not. */
  onFailure(noted: () => void): void {
    this.#onFailure.push(noted);
  }

  /** `reset` is called when the network returns, so that tries are as quick as at first. */
  onReturn(reset: () => void): void {
    this.#onReturn.push(reset);
  }

  /** The network has changed: it is as if nothing had been tried yet. */
  networkReturned(): void {
    for (const reset of this.#onReturn) reset();
    this.nudge();
  }

  /** Something changed that makes a try worth while: ends all waits. */
  nudge(): void {
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }

  /** Resolves after `ms`, or earlier when the portal is back, once calls may be made; or when `signal` is aborted. */
  async wait(ms: number, signal: AbortSignal, setTimer: SetTimer = setTimeout_): Promise<void> {
    const { heldMs = () => 0 } = this.#options;
    await this.#waitOnce(Math.max(ms, heldMs()), signal, setTimer);
    while (heldMs() > 0 && !signal.aborted) await this.#waitOnce(heldMs(), signal, setTimer);
  }

  #waitOnce(ms: number, signal: AbortSignal, setTimer: SetTimer): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = setTimer(done, ms);
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

/** Calls back after some milliseconds; returns what cancels it. */
export type SetTimer = (callback: () => void, ms: number) => () => void;

const setTimeout_: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};
