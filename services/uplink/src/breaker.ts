// Keeps calls from a portal that is sick or has asked to be left alone, so that a fleet does not storm it.
import { PortalFailure } from "./failure.ts";

export interface BreakerOptions {
  /** After this many answers in a row that say the portal is sick, */
  failuresMax: number;
  /** no call is made for so long; then one is let through to see. */
  openMs: number;
  /** Milliseconds that never go back. */
  clock: () => number;
  /** 0 to 1. */
  random: () => number;
}

/** Of the time a portal is left alone this part is random, so that a fleet does not come back at once. */
const SPREAD = 0.5;
/** What a portal may ask for at a time; one that needs longer asks again. */
export const HOLD_MS_MAX = 10 * 60 * 1_000;

export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #heldUntilMs = 0;
  /** Held because the portal asked for it, which no return of the network ends. */
  #asked = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** How long no call may be made, in milliseconds; 0 when one may. */
  get heldMs(): number {
    return Math.max(0, this.#heldUntilMs - this.#options.clock());
  }

  /** Throws a PortalFailure where no call may be made now. */
  assertOpenRoad(): void {
    const heldMs = Math.ceil(this.heldMs);
    if (heldMs === 0) return;
    throw new PortalFailure("held", "the portal is left alone for now", `the next call is in ${heldMs} ms`);
  }

  /** Nothing is called for so long, and for up to half as long again; it is never shortened. */
  hold(ms: number): void {
    const { clock, random } = this.#options;
    const heldMs = Math.min(ms, HOLD_MS_MAX) * (1 + SPREAD * random());
    this.#heldUntilMs = Math.max(this.#heldUntilMs, clock() + heldMs);
  }

  /** At the start: so that a fleet that is started at once does not call at once. */
  delayStart(msMax: number): void {
    const { clock, random } = this.#options;
    this.#heldUntilMs = clock() + msMax * random();
  }

  /** A call was answered as it should be. */
  succeeded(): void {
    this.#failures = 0;
    this.#asked = false;
  }

  /** A call failed. */
  failed({ retryAfterMs, sick }: PortalFailure): void {
    const { failuresMax, openMs } = this.#options;
    if (retryAfterMs !== undefined) {
      this.#asked = true;
      this.hold(retryAfterMs);
    } else if (sick) {
      this.#failures++;
      // Once it has opened, the one call that is let through decides.
      if (this.#failures >= failuresMax) this.hold(openMs);
    }
  }

  /** The network changed: whoever did not answer may do so now. What the portal asked for still holds. */
  networkReturned(): void {
    if (this.#asked) return;
    this.#failures = 0;
    this.#heldUntilMs = 0;
  }
}
