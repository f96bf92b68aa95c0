// PostgreSQL inside this process (PGlite), made durable and small.
import { fsyncSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { PGlite, type Transaction } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import type { Database, Queries, Row } from "./database.ts";
import { CHECKPOINT_LOG_BYTES } from "./limits.ts";

// Optimising PostgreSQL's largest functions takes 600 MB for a moment and gains nothing at our load.
for (const flag of ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);

type InitOptions = Parameters<NodeFS["init"]>[1];

interface EmscriptenFiles {
  NODEFS: { stream_ops: { fsync?: (stream: { nfd: number }) => number } };
}

/** Emscripten's file system over Node's has no fsync: PostgreSQL would call it and nothing would happen. */
class DurableNodeFS extends NodeFS {
  override async init(pg: PGlite, options: InitOptions): ReturnType<NodeFS["init"]> {
    const made = await super.init(pg, options);
    const addFsync = (module: unknown) => {
      (module as EmscriptenFiles).NODEFS.stream_ops.fsync = ({ nfd }) => {
        fsyncSync(nfd);
        return 0;
      };
    };
    return { emscriptenOpts: { ...made.emscriptenOpts, preRun: [...(made.emscriptenOpts.preRun ?? []), addFsync] } };
  }
}

// PGlite's own parameters but -F (no fsync), then ours: small buffers, since the whole store is small.
const startParams = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"),
  ...[
    "fsync=on",
    // fdatasync has no place to be hooked in Emscripten; fsync has.
    "wal_sync_method=fsync",
    "synchronous_commit=on",
    "shared_buffers=16MB",
    "wal_buffers=1MB",
    "max_connections=4",
    "min_wal_size=32MB",
    "max_wal_size=64MB",
  ].flatMap((setting) => ["-c", setting]),
];

/** Opens the database in `folder`, making it when the folder is empty. Only one process may. */
export async function openPglite(folder: string): Promise<Database> {
  const pg = await PGlite.create({ fs: new DurableNodeFS(folder), startParams });
  const position = async () => (await pg.query<{ at: string }>("SELECT pg_current_wal_lsn()::text AS at")).rows[0]!.at;
  let checkpointAt = await position();
  return {
    isShared: false,
    query: queriesOf(pg).query,
    transaction: (work) => pg.transaction((inside) => work(queriesOf(inside))),
    // Nobody else can say anything.
    listen: async () => undefined,
    async maintain() {
      const { rows } = await pg.query<{ bytes: string }>(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1::pg_lsn)::text AS bytes",
        [checkpointAt],
      );
      if (Number(rows[0]!.bytes) < CHECKPOINT_LOG_BYTES) return;
      await pg.exec("CHECKPOINT");
      checkpointAt = await position();
    },
    vacuum: async (table) => void (await pg.exec(`VACUUM ${table}`)),
    close: () => pg.close(),
  };
}

function queriesOf(from: PGlite | Transaction): Queries {
  return {
    async query<T extends Row>(sql: string, values: readonly unknown[] = []) {
      return (await from.query<T>(sql, [...values])).rows;
    },
  };
}
