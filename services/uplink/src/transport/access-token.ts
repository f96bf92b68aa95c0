// The access token of a service account: asked for once, renewed before it ends, dropped when the portal refuses it.
import type { PortalFailure } from "../failure.ts";
import { TOKEN_RENEW_RETRY_MS } from "../limits.ts";

export interface Granted {
  token: string;
  lifetimeS: number;
}

export interface AccessTokenOptions {
  /** Asks the token endpoint. Rejects with a PortalFailure. */
  fetch: () => Promise<Granted>;
  /** Told of a renewal that failed while the old token is still good. */
  renewalFailed: (failure: PortalFailure) => void;
  /** Milliseconds that never go back: a clock that is set moves no token's end. */
  clock: () => number;
  /** 0 to 1, so that a fleet that started together does not renew together. */
  random: () => number;
}

/** A token is renewed after this part of its lifetime, or up to RENEW_SPREAD later. */
const RENEW_AFTER = 0.7;
const RENEW_SPREAD = 0.2;
const MS_PER_S = 1_000;

interface Held {
  token: string;
  renewAtMs: number;
  endsAtMs: number;
}

export class AccessToken {
  readonly #options: AccessTokenOptions;
  #held: Held | undefined;
  #fetching: Promise<Held> | undefined;

  constructor(options: AccessTokenOptions) {
    this.#options = options;
  }

  /** The token that is held, also if it should have ended; undefined before the first. */
  get current(): string | undefined {
    return this.#held?.token;
  }

  /** A good token. While it is renewed the old one serves, so that no call waits. Rejects with a PortalFailure. */
  async get(): Promise<string> {
    const held = this.#held;
    const nowMs = this.#options.clock();
    if (!held || nowMs >= held.endsAtMs) return (await this.#fetch()).token;
    if (nowMs >= held.renewAtMs) {
      held.renewAtMs = nowMs + TOKEN_RENEW_RETRY_MS;
      this.#fetch().catch((failure: PortalFailure) => this.#options.renewalFailed(failure));
    }
    return held.token;
  }

  /** The portal refused `token`: the next call gets another, unless there is another by now. */
  drop(token: string): void {
    if (this.#held?.token === token) this.#held = undefined;
  }

  #fetch(): Promise<Held> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<Held> {
    const { fetch, clock, random } = this.#options;
    // The token's time began when the portal made it: not later than when we asked, as far as we know.
    const askedAtMs = clock();
    const { token, lifetimeS } = await fetch();
    const lifetimeMs = lifetimeS * MS_PER_S;
    const renewAtMs = askedAtMs + lifetimeMs * (RENEW_AFTER + RENEW_SPREAD * random());
    this.#held = { token, renewAtMs, endsAtMs: askedAtMs + lifetimeMs };
    return this.#held;
  }
}
