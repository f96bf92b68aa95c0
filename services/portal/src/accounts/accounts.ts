// Service accounts as a whole: their store, their tokens, and what the portal serves of them.
import { AccountService } from "@nightjar/proto";
import type { Logger } from "@nightjar/stage";
import type { Clock } from "../clock.ts";
import type { Database } from "../database.ts";
import type { HttpRoute } from "../http-routes.ts";
import type { Authenticate } from "../principal.ts";
import type { StoreFailure } from "../sensor-service.ts";
import { type Registration, registration } from "../server.ts";
import { accountService } from "./service.ts";
import { AccountStore } from "./store.ts";
import { tokenEndpoint } from "./token-endpoint.ts";
import { Tokens } from "./tokens.ts";
import { Verifier } from "./verifier.ts";

export interface AccountsOptions {
  database: Database;
  /** Throws when there is no room to write. */
  room: () => void;
  tokenLifetimeS: number;
  clock: Clock;
  log: Logger;
  failed: StoreFailure;
}

export interface Accounts {
  service: Registration;
  route: HttpRoute;
  /** By access token. */
  authenticate: Authenticate;
}

export async function openAccounts(options: AccountsOptions): Promise<Accounts> {
  const { database, room, clock, log, failed } = options;
  const store = new AccountStore(database, room);
  const tokens = new Tokens({ store, key: await store.tokenKey(), lifetimeS: options.tokenLifetimeS, clock });
  return {
    service: registration(AccountService, accountService({ store, tokens, clock, failed }), ["operator"]),
    route: tokenEndpoint({ verifier: new Verifier(store, clock), tokens, log }),
    authenticate: async (header) => {
      const token = /^bearer (.+)$/i.exec(header ?? "")?.[1];
      return token === undefined ? undefined : tokens.verify(token);
    },
  };
}
