// What one portal process knows of an account that another one revokes.
import test from "ava";
import { ACCOUNT_KNOWN_MS } from "../limits.ts";
import type { Account, AccountStore } from "./store.ts";
import { Tokens } from "./tokens.ts";

test("a token whose account another process revoked is refused once the account is looked at again", async (t) => {
  const account: Account = {
    ...{ id: "a1", name: "fleet", type: "sensor", createdAtNs: 0n, revokedAtNs: undefined },
    secrets: [{ id: "s1", hash: "", createdAtNs: 0n, expiresAtNs: undefined }],
  };
  let nowMs = 1_700_000_000_000;
  let looked = 0;
  const store = { find: async () => ({ ...account, looked: looked++ }) } as unknown as AccountStore;
  const process = () => new Tokens({ store, key: new Uint8Array(32), lifetimeS: 3_600, clock: () => nowMs });
  const token = await process().issue(account, "s1");
  const other = process();
  t.deepEqual(await other.verify(token), { type: "sensor", accountId: "a1", isLocal: false });
  account.secrets = [];
  t.truthy(await other.verify(token));
  t.is(looked, 1, "within that time the store is not asked again");
  nowMs += ACCOUNT_KNOWN_MS;
  t.is(await other.verify(token), undefined);
});
