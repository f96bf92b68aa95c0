// Service accounts for those who look after them: made, listed, given other secrets, revoked.
import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  AccountActionSchema,
  AccountSchema,
  AccountSecretSchema,
  type AccountService,
  CreateAccountResponseSchema,
  ListAccountActionsResponseSchema,
  ListAccountsResponseSchema,
  RevokeAccountResponseSchema,
  RotateSecretResponseSchema,
  type Account as WireAccount,
  AccountType as WireType,
} from "@nightjar/proto";
import { type Clock, timestampOfNs } from "../clock.ts";
import { ACCOUNT_ACTIONS_MAX, PAGE_DEFAULT, SECRET_KEPT_DAYS_MAX } from "../limits.ts";
import { type AccountType, principalOf } from "../principal.ts";
import { asConnectError, refuse, type StoreFailure } from "../sensor-service.ts";
import { hashSecret, makeSecret } from "./secret.ts";
import { type Account, AccountError, type AccountStore, type Deed } from "./store.ts";
import type { Tokens } from "./tokens.ts";

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;
const MS_PER_S = 1_000;
const NS_PER_MS = 1_000_000;
const MS_PER_DAY = 24 * 60 * 60 * MS_PER_S;

const types: readonly (readonly [WireType, AccountType])[] = [
  [WireType.SENSOR, "sensor"],
  [WireType.OPERATOR, "operator"],
];

const codes: Record<AccountError["reason"], Code> = {
  unknown: Code.NotFound,
  taken: Code.AlreadyExists,
  full: Code.ResourceExhausted,
  revoked: Code.FailedPrecondition,
};

export interface AccountServiceOptions {
  store: AccountStore;
  tokens: Pick<Tokens, "forget">;
  clock: Clock;
  failed: StoreFailure;
}

export function accountService(options: AccountServiceOptions): ServiceImpl<typeof AccountService> {
  const { store, tokens, clock } = options;
  const deedOf = (context: HandlerContext): Deed => ({ actor: principalOf(context).accountId, nowMs: clock() });
  const done = async (deed: Promise<Account>): Promise<WireAccount> => {
    const account = await deed.catch((error: unknown) => {
      throw error instanceof AccountError
        ? new ConnectError(error.message, codes[error.reason])
        : asConnectError(error, options.failed);
    });
    tokens.forget(account.id);
    return wireOf(account);
  };
  return {
    async createAccount({ name, type }, context) {
      refuse(NAME.test(name) ? undefined : "name: 1 to 64 letters, digits, and . _ - in between");
      const known = types.find(([wire]) => wire === type)?.[1];
      if (!known) throw new ConnectError("type: sensor or operator", Code.InvalidArgument);
      const clientSecret = makeSecret();
      const hash = await hashSecret(clientSecret);
      const account = await done(store.create(name, known, hash, deedOf(context)));
      return create(CreateAccountResponseSchema, { account, clientSecret });
    },
    async listAccounts() {
      return create(ListAccountsResponseSchema, { accounts: (await store.list(clock())).map(wireOf) });
    },
    async rotateSecret({ account: idOrName, keep }, context) {
      const keepMs = msOf(keep ?? create(DurationSchema));
      refuse(
        keepMs >= 0 && keepMs <= SECRET_KEPT_DAYS_MAX * MS_PER_DAY
          ? undefined
          : `keep: 0 to ${SECRET_KEPT_DAYS_MAX} days`,
      );
      const clientSecret = makeSecret();
      const hash = await hashSecret(clientSecret);
      const account = await done(store.rotate(idOrName, hash, keepMs, deedOf(context)));
      return create(RotateSecretResponseSchema, { account, clientSecret });
    },
    async revokeAccount({ account: idOrName }, context) {
      const account = await done(store.revoke(idOrName, deedOf(context)));
      return create(RevokeAccountResponseSchema, { account });
    },
    async listAccountActions({ limit }) {
      refuse(limit <= ACCOUNT_ACTIONS_MAX ? undefined : `limit: 0 to ${ACCOUNT_ACTIONS_MAX}`);
      const actions = (await store.listActions(limit || PAGE_DEFAULT)).map(({ happenedAtNs, ...action }) =>
        create(AccountActionSchema, { ...action, time: timestampOfNs(happenedAtNs) }),
      );
      return create(ListAccountActionsResponseSchema, { actions });
    },
  };
}

function msOf({ seconds, nanos }: Duration): number {
  return Number(seconds) * MS_PER_S + Math.trunc(nanos / NS_PER_MS);
}

function wireOf({ id, name, type, createdAtNs, revokedAtNs, secrets }: Account): WireAccount {
  return create(AccountSchema, {
    id,
    name,
    type: types.find(([, known]) => known === type)?.[0] ?? WireType.UNSPECIFIED,
    createdAt: timestampOfNs(createdAtNs),
    ...(revokedAtNs !== undefined && { revokedAt: timestampOfNs(revokedAtNs) }),
    secrets: secrets.map((secret) =>
      create(AccountSecretSchema, {
        id: secret.id,
        createdAt: timestampOfNs(secret.createdAtNs),
        ...(secret.expiresAtNs !== undefined && { expiresAt: timestampOfNs(secret.expiresAtNs) }),
      }),
    ),
  });
}
