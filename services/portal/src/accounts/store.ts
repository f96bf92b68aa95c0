// What the portal remembers of service accounts: their secrets' hashes, and who did what with them.
import { randomBytes } from "node:crypto";
import { nsOfMs } from "../clock.ts";
import type { Database, Queries, Row } from "../database.ts";
import { ACCOUNTS_MAX } from "../limits.ts";
import type { AccountType } from "../principal.ts";

export interface Secret {
  id: string;
  hash: string;
  createdAtNs: bigint;
  expiresAtNs: bigint | undefined;
}

export interface Account {
  id: string;
  name: string;
  type: AccountType;
  createdAtNs: bigint;
  revokedAtNs: bigint | undefined;
  /** Those that are valid at the time asked for, the oldest first. */
  secrets: Secret[];
}

export interface Action {
  happenedAtNs: bigint;
  actor: string;
  action: string;
  accountId: string;
  accountName: string;
  detail: string;
}

/** Who does something, and when. */
export interface Deed {
  actor: string;
  nowMs: number;
}

/** Why a deed was not done. */
export class AccountError extends Error {
  readonly reason: "unknown" | "taken" | "full" | "revoked";

  constructor(reason: AccountError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

const CLIENT_ID_BYTES = 12;
const SECRET_ID_BYTES = 8;
const TOKEN_KEY_BYTES = 32;

export class AccountStore {
  readonly #database: Database;
  readonly #assertRoom: () => void;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  create(name: string, type: AccountType, hash: string, deed: Deed): Promise<Account> {
    return this.#change(async (queries) => {
      const id = randomBytes(CLIENT_ID_BYTES).toString("hex");
      const [counted] = await queries.query<{ count: bigint }>("SELECT count(*) AS count FROM accounts");
      if (Number(counted!.count) >= ACCOUNTS_MAX) {
        throw new AccountError("full", `this portal knows ${ACCOUNTS_MAX} service accounts, its most`);
      }
      const made = await queries.query(
        `INSERT INTO accounts (id, name, type, created_at_ns) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO NOTHING RETURNING id`,
        [id, name, type, nsOfMs(deed.nowMs)],
      );
      if (made.length === 0) throw new AccountError("taken", `there is a service account of the name ${name}`);
      await addSecret(queries, id, hash, deed);
      return finish(queries, { action: "create", id, detail: `type ${type}` }, deed);
    });
  }

  /** `idOrName` gets another secret; the newest before it stays valid for `keepMs`, others end now. */
  rotate(idOrName: string, hash: string, keepMs: number, deed: Deed): Promise<Account> {
    return this.#change(async (queries) => {
      const { id, secrets } = await findValid(queries, idOrName, deed);
      const now = nsOfMs(deed.nowMs);
      const newest = secrets.at(-1)?.id ?? "";
      await queries.query(
        `UPDATE account_secrets SET expires_at_ns = CASE WHEN id = $2 THEN $3::bigint ELSE $4::bigint END
         WHERE account_id = $1 AND (expires_at_ns IS NULL OR expires_at_ns > $4::bigint)`,
        [id, newest, nsOfMs(deed.nowMs + keepMs), now],
      );
      await addSecret(queries, id, hash, deed);
      return finish(queries, { action: "rotate", id, detail: `the secret before is kept for ${keepMs} ms` }, deed);
    });
  }

  revoke(idOrName: string, deed: Deed): Promise<Account> {
    return this.#change(async (queries) => {
      const { id } = await findValid(queries, idOrName, deed);
      await queries.query("UPDATE accounts SET revoked_at_ns = $2 WHERE id = $1", [id, nsOfMs(deed.nowMs)]);
      return finish(queries, { action: "revoke", id, detail: "" }, deed);
    });
  }

  find(id: string, nowMs: number): Promise<Account | undefined> {
    return findAccount(this.#database, "id", id, nowMs);
  }

  async list(nowMs: number): Promise<Account[]> {
    const rows = await this.#database.query<AccountRow>("SELECT * FROM accounts ORDER BY created_at_ns, id");
    const secrets = Map.groupBy(
      await this.#database.query<SecretRow>(`SELECT * FROM account_secrets WHERE ${VALID} ${OLDEST_FIRST}`, [
        nsOfMs(nowMs),
      ]),
      (secret) => secret.account_id,
    );
    return rows.map((row) => accountOf(row, secrets.get(row.id) ?? []));
  }

  /** The latest first. */
  async listActions(limit: number): Promise<Action[]> {
    const rows = await this.#database.query<ActionRow>("SELECT * FROM account_actions ORDER BY number DESC LIMIT $1", [
      limit,
    ]);
    return rows.map((row) => ({
      happenedAtNs: BigInt(row.happened_at_ns),
      actor: row.actor,
      action: row.action,
      accountId: row.account_id,
      accountName: row.account_name,
      detail: row.detail,
    }));
  }

  /** What tokens are signed with; made by whichever process asks first. */
  async tokenKey(): Promise<Uint8Array> {
    const key = async () =>
      (await this.#database.query<{ key: Uint8Array }>("SELECT key FROM token_keys WHERE id = 1"))[0]?.key;
    const known = await key();
    if (known) return known;
    const made = randomBytes(TOKEN_KEY_BYTES);
    await this.#database.query("INSERT INTO token_keys VALUES (1, $1) ON CONFLICT DO NOTHING", [made]);
    return (await key())!;
  }

  #change(work: (queries: Queries) => Promise<Account>): Promise<Account> {
    this.#assertRoom();
    return this.#database.transaction(work);
  }
}

interface AccountRow extends Row {
  id: string;
  name: string;
  type: AccountType;
  created_at_ns: bigint;
  revoked_at_ns: bigint | null;
}

interface SecretRow extends Row {
  id: string;
  account_id: string;
  hash: string;
  created_at_ns: bigint;
  expires_at_ns: bigint | null;
}

interface ActionRow extends Row {
  happened_at_ns: bigint;
  actor: string;
  action: string;
  account_id: string;
  account_name: string;
  detail: string;
}

/** Of secrets, at the time $1. */
const VALID = "(expires_at_ns IS NULL OR expires_at_ns > $1)";
/** Of secrets: the one that does not expire is the newest, also when the clock was set back meanwhile. */
const OLDEST_FIRST = "ORDER BY expires_at_ns NULLS LAST, created_at_ns, id";

async function findAccount(
  queries: Queries,
  column: "id" | "name",
  value: string,
  nowMs: number,
): Promise<Account | undefined> {
  const [row] = await queries.query<AccountRow>(`SELECT * FROM accounts WHERE ${column} = $1`, [value]);
  if (!row) return undefined;
  const secrets = await queries.query<SecretRow>(
    `SELECT * FROM account_secrets WHERE ${VALID} AND account_id = $2 ${OLDEST_FIRST}`,
    [nsOfMs(nowMs), row.id],
  );
  return accountOf(row, secrets);
}

/** @throws AccountError unknown, revoked */
async function findValid(queries: Queries, idOrName: string, { nowMs }: Deed): Promise<Account> {
  const account =
    (await findAccount(queries, "id", idOrName, nowMs)) ?? (await findAccount(queries, "name", idOrName, nowMs));
  if (!account) throw new AccountError("unknown", `there is no service account ${idOrName}`);
  if (account.revokedAtNs !== undefined) throw new AccountError("revoked", `${account.name} is revoked`);
  return account;
}

function addSecret(queries: Queries, accountId: string, hash: string, { nowMs }: Deed): Promise<Row[]> {
  return queries.query("INSERT INTO account_secrets (id, account_id, hash, created_at_ns) VALUES ($1, $2, $3, $4)", [
    randomBytes(SECRET_ID_BYTES).toString("hex"),
    accountId,
    hash,
    nsOfMs(nowMs),
  ]);
}

/** Writes down what was done, in the same transaction, and gives the account as it is now. */
async function finish(
  queries: Queries,
  { action, id, detail }: { action: string; id: string; detail: string },
  { actor, nowMs }: Deed,
): Promise<Account> {
  const account = (await findAccount(queries, "id", id, nowMs))!;
  await queries.query(
    `INSERT INTO account_actions (happened_at_ns, actor, action, account_id, account_name, detail)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [nsOfMs(nowMs), actor, action, id, account.name, detail],
  );
  return account;
}

function accountOf(row: AccountRow, secrets: readonly SecretRow[]): Account {
  const revoked = row.revoked_at_ns !== null;
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    createdAtNs: BigInt(row.created_at_ns),
    revokedAtNs: row.revoked_at_ns === null ? undefined : BigInt(row.revoked_at_ns),
    secrets: revoked ? [] : secrets.map(secretOf),
  };
}

function secretOf({ id, hash, created_at_ns, expires_at_ns }: SecretRow): Secret {
  return {
    id,
    hash,
    createdAtNs: BigInt(created_at_ns),
    expiresAtNs: expires_at_ns === null ? undefined : BigInt(expires_at_ns),
  };
}
