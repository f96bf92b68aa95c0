// The advisories a portal has, by where they came from and by the packages they affect.
import { create, toBinary } from "@bufbuild/protobuf";
import { type Advisory, AdvisorySchema, type AdvisorySource, AdvisorySourceSchema } from "@nightjar/proto";
import { ecosystemKey } from "@nightjar/vulnerabilities";
import { nsOfMs, timestampOfNs } from "../clock.ts";
import type { Database, Queries } from "../database.ts";
import { ADVISORIES_MAX, SWEEP_ROWS } from "../limits.ts";

/** The portal has as many advisories as it may. */
export class AdvisoriesFullError extends Error {}

/** Where advisories came from, and with which import. */
export interface Import {
  source: string;
  importId: string;
}

/** Findings that were made with another generation are made anew; how many advisories there are is counted along. */
const NEXT_GENERATION = "UPDATE advisory_state SET generation = generation + 1, advisories = advisories + $1";

export class AdvisoryStore {
  readonly #database: Database;
  readonly #assertRoom: () => void;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  /** Stores them, all or nothing; findings follow. Throws AdvisoriesFullError for more than may be. */
  async save({ source, importId }: Import, advisories: readonly Advisory[], nowMs: number) {
    this.#assertRoom();
    return this.#database.transaction(async (queries) => {
      const ids = advisories.map(({ id }) => id);
      const encoded = advisories.map((one) => Buffer.from(toBinary(AdvisorySchema, one)));
      const known = await queries.query<{ id: string; advisory: Uint8Array }>(
        "SELECT id, advisory FROM advisories WHERE source = $1 AND id = ANY($2::text[]) FOR UPDATE",
        [source, ids],
      );
      const before = new Map(known.map((row) => [row.id, row.advisory]));
      const added = ids.filter((id) => !before.has(id)).length;
      await assertMay(queries, added);
      const isChanged = (index: number) => {
        const old = before.get(ids[index] as string);
        return old !== undefined && !encoded[index]?.equals(old);
      };
      const changed = ids.filter((_, index) => isChanged(index)).length;
      await queries.query(
        `INSERT INTO advisories (source, id, import_id, imported_at_ns, advisory)
         SELECT $1, id, $2, $3, decode(advisory, 'base64') FROM unnest($4::text[], $5::text[]) AS given (id, advisory)
         ON CONFLICT (source, id) DO UPDATE SET import_id = excluded.import_id,
           imported_at_ns = excluded.imported_at_ns, advisory = excluded.advisory`,
        [source, importId, nsOfMs(nowMs), ids, encoded.map((bytes) => bytes.toString("base64"))],
      );
      await savePackages(queries, source, advisories);
      if (added + changed > 0) await queries.query(NEXT_GENERATION, [added]);
      return { added, changed };
    });
  }

  /** Removes a source's advisories, or those of them that an import did not have; some at a time. Returns how many. */
  async remove(source: string, exceptImportId: string): Promise<number> {
    for (let removed = 0; ; ) {
      const gone = await this.#database.transaction(async (queries) => {
        const rows = await queries.query(
          `DELETE FROM advisories WHERE source = $1 AND id = ANY(ARRAY(SELECT id FROM advisories
           WHERE source = $1 AND import_id <> $2 LIMIT ${SWEEP_ROWS})) RETURNING id`,
          [source, exceptImportId],
        );
        if (rows.length > 0) await queries.query(NEXT_GENERATION, [-rows.length]);
        return rows.length;
      });
      removed += gone;
      if (gone < SWEEP_ROWS) return removed;
    }
  }

  async sources(): Promise<AdvisorySource[]> {
    const rows = await this.#database.query<Record<"source" | "count" | "last", string>>(
      "SELECT source, count(*) AS count, max(imported_at_ns) AS last FROM advisories GROUP BY source ORDER BY source",
    );
    return rows.map(({ source, count, last }) =>
      create(AdvisorySourceSchema, {
        name: source,
        advisories: BigInt(count),
        lastImportAt: timestampOfNs(BigInt(last)),
      }),
    );
  }
}

/** Held until the transaction ends: imports of several portals are one after the other. */
async function assertMay(queries: Queries, added: number): Promise<void> {
  const [row] = await queries.query<{ advisories: bigint }>("SELECT advisories FROM advisory_state FOR UPDATE");
  const count = Number(row?.advisories ?? 0);
  if (count + added > ADVISORIES_MAX) {
    throw new AdvisoriesFullError(`this portal has ${count} advisories, of ${ADVISORIES_MAX} at most`);
  }
}

async function savePackages(queries: Queries, source: string, advisories: readonly Advisory[]): Promise<void> {
  const rows = advisories.flatMap(({ id, affected }) =>
    affected.map(({ name, ecosystem }) => ({ id, name, ecosystem: ecosystemKey(ecosystem) })),
  );
  await queries.query("DELETE FROM advisory_packages WHERE source = $1 AND id = ANY($2::text[])", [
    source,
    advisories.map(({ id }) => id),
  ]);
  await queries.query(
    `INSERT INTO advisory_packages (name, ecosystem, source, id)
     SELECT name, ecosystem, $1, id FROM unnest($2::text[], $3::text[], $4::text[]) AS given (name, ecosystem, id)
     ON CONFLICT DO NOTHING`,
    [source, rows.map(({ name }) => name), rows.map(({ ecosystem }) => ecosystem), rows.map(({ id }) => id)],
  );
}
