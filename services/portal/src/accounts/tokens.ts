// Access tokens: signed, so that a call asks the database of no token, only of its account now and then.
import { errors, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../clock.ts";
import { ACCOUNT_KNOWN_MS, ACCOUNTS_KNOWN_MAX } from "../limits.ts";
import type { Principal } from "../principal.ts";
import type { Account, AccountStore } from "./store.ts";

const ALGORITHM = "HS256";
const ISSUER = "nightjar-portal";
const MS_PER_S = 1_000;

export interface TokensOptions {
  store: AccountStore;
  key: Uint8Array;
  lifetimeS: number;
  clock: Clock;
}

interface Known {
  account: Account | undefined;
  atMs: number;
}

export class Tokens {
  readonly lifetimeS: number;
  readonly #options: TokensOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: TokensOptions) {
    this.#options = options;
    this.lifetimeS = options.lifetimeS;
  }

  /** A token of the account, good for `lifetimeS` unless the account or the secret ends before. */
  issue(account: Account, secretId: string): Promise<string> {
    const nowS = Math.floor(this.#options.clock() / MS_PER_S);
    return new SignJWT({ secret: secretId })
      .setProtectedHeader({ alg: ALGORITHM, typ: "at+jwt" })
      .setIssuer(ISSUER)
      .setSubject(account.id)
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + this.lifetimeS)
      .sign(this.#options.key);
  }

  /** Whose token it is; undefined when it is none of ours, expired, or its account or secret is no longer valid. */
  async verify(token: string): Promise<Principal | undefined> {
    const claims = await this.#claimsOf(token);
    if (claims === undefined) return undefined;
    const account = await this.#accountOf(claims.accountId);
    const isValid = account?.secrets.some(({ id }) => id === claims.secretId);
    return account && isValid ? { type: account.type, accountId: account.id, isLocal: false } : undefined;
  }

  /** Of this account something changed: it is looked at anew at its next call. */
  forget(accountId: string): void {
    this.#known.delete(accountId);
  }

  async #claimsOf(token: string): Promise<{ accountId: string; secretId: string } | undefined> {
    const { key, clock } = this.#options;
    try {
      const { payload } = await jwtVerify<{ secret: string }>(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        requiredClaims: ["sub", "exp", "secret"],
        currentDate: new Date(clock()),
      });
      return { accountId: payload.sub!, secretId: payload.secret };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  async #accountOf(id: string): Promise<Account | undefined> {
    const nowMs = this.#options.clock();
    const known = this.#known.get(id);
    // A clock that was set back would otherwise keep what is known for ever.
    if (known && Math.abs(nowMs - known.atMs) < ACCOUNT_KNOWN_MS) return known.account;
    const account = await this.#options.store.find(id, nowMs);
    if (this.#known.size >= ACCOUNTS_KNOWN_MAX) this.#known.clear();
    this.#known.set(id, { account, atMs: nowMs });
    return account;
  }
}
