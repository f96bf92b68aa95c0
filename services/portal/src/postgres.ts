// A PostgreSQL server as the store, which several portals may share.
import pg from "pg";
import type { Database, Queries, Row } from "./database.ts";
import { DATABASE_CONNECT_MS, DATABASE_RELISTEN_MS, DATABASE_STATEMENT_MS } from "./limits.ts";

export interface PostgresOptions {
  /** postgresql://user:password@host:port/database; what it leaves out is as libpq has it (PGHOST, ~/.pgpass, …). */
  url: string;
  /** Connections at most. */
  connections: number;
  /** Told of connections that broke while nobody used them. */
  warn: (message: string, error: Error) => void;
}

/** Connects; rejects when the server does not answer or does not let us in. */
export async function openPostgres({ url, connections, warn }: PostgresOptions): Promise<Database> {
  const config = {
    connectionString: url,
    application_name: "nightjar-portal",
    connectionTimeoutMillis: DATABASE_CONNECT_MS,
    statement_timeout: DATABASE_STATEMENT_MS,
  };
  const pool = new pg.Pool({ ...config, max: connections });
  pool.on("error", (error) => warn("a connection to the database broke", error));
  const listener = new Listener(config, warn);
  await pool.query("SELECT 1");
  return {
    isShared: true,
    query: queriesOf(pool).query,
    transaction: (work) => transaction(pool, work),
    listen: (channel, heard) => listener.listen(channel, heard),
    // The server's own autovacuum and checkpointer do it.
    maintain: async () => undefined,
    vacuum: async () => undefined,
    async close() {
      await listener.close();
      await pool.end();
    },
  };
}

function queriesOf(from: Pick<pg.Pool, "query">): Queries {
  return {
    async query<T extends Row>(sql: string, values: readonly unknown[] = []) {
      return (await from.query<T>(sql, [...values])).rows;
    },
  };
}

async function transaction<T>(pool: pg.Pool, work: (queries: Queries) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(queriesOf(client));
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((why: Error) => {
      broken = why;
    });
    throw error;
  } finally {
    // A connection on which not even this worked is not given to anybody else.
    client.release(broken);
  }
}

/** One connection that only listens, and is made anew when it breaks. */
class Listener {
  readonly #config: pg.ClientConfig;
  readonly #warn: PostgresOptions["warn"];
  readonly #heard = new Map<string, () => void>();
  #client: pg.Client | undefined;
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(config: pg.ClientConfig, warn: PostgresOptions["warn"]) {
    this.#config = config;
    this.#warn = warn;
  }

  async listen(channel: string, heard: () => void): Promise<void> {
    if (!this.#client) await this.#connect();
    this.#heard.set(channel, heard);
    await this.#client?.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#again);
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(this.#config);
    client.on("notification", ({ channel }) => this.#heard.get(channel)?.());
    client.on("error", (error) => this.#lost(error));
    client.on("end", () => this.#lost(new Error("the server closed the connection")));
    await client.connect();
    this.#client = client;
    for (const [channel, heard] of this.#heard) {
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      // What was said while nobody listened.
      heard();
    }
  }

  /** Until it is back, readers of streams here wait for what other portals store. */
  #lost(error: Error): void {
    if (this.#isClosed || this.#again) return;
    if (this.#client) this.#warn("what other portals store is not heard until the database is back", error);
    this.#client = undefined;
    this.#again = setTimeout(() => {
      this.#again = undefined;
      this.#connect().catch((cause: Error) => this.#lost(cause));
    }, DATABASE_RELISTEN_MS);
  }
}
