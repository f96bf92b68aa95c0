// Keeps the service manager told (systemd): that the stage is ready, that its work advances, how it is, that it stops.
import type { ServiceManager } from "@nightjar/notify";
import type { Logger } from "./log.ts";
import type { Progress } from "./progress.ts";

/** `systemctl status` shows it; more often would wake the processor for nobody. */
const STATUS_MS = 5_000;
/** Within the time of the watchdog it is fed so many times, so that one that comes late does not end the stage. */
const FEEDS_A_TIMEOUT = 4;
/** What has not advanced for this part of the watchdog's time is taken to hang, and is not fed any more. */
const STALL_SHARE = 0.5;
/** While a stage waits to be ready, such as for the bus, its start may take so much longer. */
const START_MORE_MS = 30_000;
const US_PER_MS = 1_000;

export interface Told {
  manager: ServiceManager;
  progress: Progress;
  log: Pick<Logger, "error">;
  /** Aborted when the stage stops. */
  signal: AbortSignal;
  /** One line for a person. */
  describe: () => string;
}

export class ManagerNotifier {
  readonly #told: Told;
  readonly #timers: NodeJS.Timeout[] = [];
  #isStalled = false;

  /** Begins to ask for more time until `ready` is called. */
  constructor(told: Told) {
    this.#told = told;
    const start = () =>
      void told.manager.notify({ EXTEND_TIMEOUT_USEC: START_MORE_MS * US_PER_MS, STATUS: "starting" });
    start();
    this.#every(START_MORE_MS / FEEDS_A_TIMEOUT, start);
    told.signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  ready(): void {
    this.#clear();
    if (this.#told.signal.aborted) return;
    const { manager, describe, progress } = this.#told;
    // What took its time was the start.
    progress.advance();
    manager.notify({ READY: 1, STATUS: describe() });
    this.#every(STATUS_MS, () => void manager.notify({ STATUS: describe() }));
    const { watchdogMs } = manager;
    if (watchdogMs === undefined) return;
    this.#feed(watchdogMs);
    this.#every(watchdogMs / FEEDS_A_TIMEOUT, () => this.#feed(watchdogMs));
  }

  #feed(watchdogMs: number): void {
    const { manager, progress, log } = this.#told;
    const { stalledMs } = progress;
    const isStalled = stalledMs > watchdogMs * STALL_SHARE;
    if (!isStalled) manager.notify({ WATCHDOG: 1 });
    else if (!this.#isStalled)
      log.error("the work does not advance; the watchdog is not fed", { stalled_ms: stalledMs });
    this.#isStalled = isStalled;
  }

  #stop(): void {
    this.#clear();
    this.#told.manager.notify({ STOPPING: 1, STATUS: "stopping" });
  }

  #every(ms: number, act: () => void): void {
    this.#timers.push(setInterval(act, ms).unref());
  }

  #clear(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }
}
