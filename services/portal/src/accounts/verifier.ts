// Checks client credentials: slowly once, quickly when a fleet with one account asks again and again.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import { ACCOUNTS_KNOWN_MAX } from "../limits.ts";
import { hashSecret, isSecretOf, makeSecret } from "./secret.ts";
import type { Account, AccountStore } from "./store.ts";

const KEY_BYTES = 32;

export interface Verified {
  account: Account;
  secretId: string;
}

export class Verifier {
  readonly #store: AccountStore;
  readonly #clock: Clock;
  /** By a key that this process alone has and forgets: what is remembered of a secret is of no use elsewhere. */
  readonly #key = randomBytes(KEY_BYTES);
  /** Of secrets that were right, by their ids. */
  readonly #seen = new Map<string, Buffer>();
  /** Compared with where there is no account, so that it takes as long as a wrong secret. */
  readonly #decoy = hashSecret(makeSecret());

  constructor(store: AccountStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Undefined when there is no such account or it has no such secret. Rejects with HashesFullError. */
  async verify(clientId: string, secret: string): Promise<Verified | undefined> {
    const account = await this.#store.find(clientId, this.#clock());
    const digest = createHmac("sha256", this.#key).update(secret).digest();
    for (const { id, hash } of account?.secrets.toReversed() ?? []) {
      const seen = this.#seen.get(id);
      const isRight = seen ? timingSafeEqual(seen, digest) : await isSecretOf(secret, hash);
      if (!isRight) continue;
      if (this.#seen.size >= ACCOUNTS_KNOWN_MAX) this.#seen.clear();
      this.#seen.set(id, digest);
      return { account: account!, secretId: id };
    }
    if (!account || account.secrets.length === 0) await isSecretOf(secret, await this.#decoy);
    return undefined;
  }
}
