// What the portal's indicator lists say, which list said it, and what has changed since when.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { hashOf } from "@nightjar/indicators";
import {
  Disposition,
  type Indicator,
  type IndicatorKind,
  IndicatorSchema,
  type IndicatorSource,
  IndicatorSourceSchema,
  type StoredIndicator,
  StoredIndicatorSchema,
  type Verdict,
  VerdictSchema,
} from "@nightjar/proto";
import { nsOfMs, nsOfTimestamp, timestampOfNs } from "./clock.ts";
import type { Database, Queries } from "./database.ts";
import { CHANGES_KEPT, GENERATION_AGE_MS, HASHES_PAGE, INDICATORS_MAX, SWEEP_ROWS } from "./limits.ts";

/** The portal has as many indicators as it may. */
export class IndicatorsFullError extends Error {}

/** Where a page of indicators ended. */
export interface IndicatorPlace {
  value: string;
  kind: IndicatorKind;
  source: string;
}

export interface IndicatorQuery {
  source?: string;
  value?: string;
  after?: IndicatorPlace | undefined;
  limit: number;
}

/** What a removal takes: all of a source, or of these only what is meant. */
export interface Removal {
  source: string;
  indicator?: Indicator | undefined;
  exceptImportId?: string;
}

interface State {
  generation: bigint;
  /** Changes after this generation are all known. */
  changesFrom: bigint;
  indicators: bigint;
}

interface IndicatorRow extends Record<string, unknown> {
  kind: IndicatorKind;
  value: string;
  source: string;
  expires_at_ns: bigint | null;
  import_id: string;
  imported_at_ns: bigint;
  verdict: Uint8Array;
}

/** Before any place that is one. */
const BEGINNING: IndicatorPlace = { value: "", kind: 0, source: "" };

export class IntelStore {
  readonly #database: Database;
  readonly #assertRoom: () => void;
  #hasDeadRows = false;
  #recent: { askedAt: number; generation: Promise<bigint> } | undefined;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  /** The change counter: it grows with every change of what lists say. */
  async generation(): Promise<bigint> {
    return (await readState(this.#database)).generation;
  }

  /** The change counter as it was GENERATION_AGE_MS ago at most: heartbeats ask for it, some hundred a second. */
  recentGeneration(): Promise<bigint> {
    if (!this.#recent || performance.now() - this.#recent.askedAt > GENERATION_AGE_MS) {
      const asked = { askedAt: performance.now(), generation: this.generation() };
      this.#recent = asked;
      asked.generation.catch(() => {
        if (this.#recent === asked) this.#recent = undefined;
      });
    }
    return this.#recent.generation;
  }

  /** Stores what one source says of each, all or nothing. Throws IndicatorsFullError for more than may be. */
  async save(importId: string, verdicts: readonly Verdict[], nowMs: number) {
    this.#assertRoom();
    this.#hasDeadRows = true;
    return this.#database.transaction(async (queries) => {
      const state = await lockState(queries);
      const known = await knownRows(queries, verdicts);
      const added = verdicts.filter((verdict) => !known.has(keyOf(verdict)));
      if (state.indicators + BigInt(added.length) > BigInt(INDICATORS_MAX)) {
        throw new IndicatorsFullError(`this portal has ${state.indicators} indicators, of ${INDICATORS_MAX} at most`);
      }
      const changed = verdicts.filter((verdict) => {
        const row = known.get(keyOf(verdict));
        return row !== undefined && saysOtherThan(row, verdict, nsOfMs(nowMs));
      });
      await upsert(queries, importId, verdicts, nsOfMs(nowMs));
      const generation = await noteChanges(queries, state, [...added, ...changed].map(indicatorOf), added.length);
      this.#recent = undefined;
      return { added: added.length, changed: changed.length, generation };
    });
  }

  /** One verdict for each, in their order, and the generation they are at least of. */
  async lookUp(indicators: readonly Indicator[], nowMs: number): Promise<{ verdicts: Verdict[]; generation: bigint }> {
    // Read first: what changes between the two is told by a later generation, and asked anew.
    const generation = await this.generation();
    const rows = await this.#database.query<IndicatorRow>(
      `SELECT kind, value, verdict, expires_at_ns FROM indicators
       WHERE value = ANY($1::text[]) AND (expires_at_ns IS NULL OR expires_at_ns > $2)`,
      [indicators.map(({ value }) => value), nsOfMs(nowMs)],
    );
    const best = new Map<string, Verdict>();
    for (const verdict of rows.map(verdictOf)) {
      const key = indicatorKey(indicatorOf(verdict));
      const other = best.get(key);
      if (!other || countsBefore(verdict, other)) best.set(key, verdict);
    }
    const unknown = (indicator: Indicator) => create(VerdictSchema, { indicator, disposition: Disposition.UNKNOWN });
    return { verdicts: indicators.map((one) => best.get(indicatorKey(one)) ?? unknown(one)), generation };
  }

  /** Hashes of what changed after `after`; undefined when that is not known singly. */
  async changesAfter(after: bigint): Promise<{ hashes: bigint[] | undefined; generation: bigint }> {
    const { generation, changesFrom } = await readState(this.#database);
    if (after < changesFrom || after > generation) return { hashes: undefined, generation };
    const rows = await this.#database.query<{ hash: bigint }>(
      "SELECT DISTINCT hash FROM indicator_changes WHERE generation > $1 AND generation <= $2",
      [after, generation],
    );
    return { hashes: rows.map(({ hash }) => BigInt.asUintN(64, BigInt(hash))), generation };
  }

  /** A page of the hashes of what is listed now, in an order that holds; `next` undefined when it was the last. */
  async hashes(after: IndicatorPlace = BEGINNING, nowMs: number) {
    const generation = await this.generation();
    const rows = await this.#database.query<{ kind: IndicatorKind; value: string }>(
      `SELECT kind, value FROM indicators WHERE (value, kind) > ($1, $2)
       AND (expires_at_ns IS NULL OR expires_at_ns > $3)
       GROUP BY value, kind ORDER BY value, kind LIMIT $4`,
      [after.value, after.kind, nsOfMs(nowMs), HASHES_PAGE],
    );
    const last = rows.length === HASHES_PAGE ? rows.at(-1) : undefined;
    const hashes = rows.map(({ kind, value }) => hashOf(create(IndicatorSchema, { kind, value })));
    return { hashes, generation, next: last && { ...last, source: "" } };
  }

  /** Removes some at a time, so that look-ups go on; returns how many. */
  async remove(removal: Removal): Promise<{ removed: number; generation: bigint }> {
    const conditions = ["source = $1"];
    const values: unknown[] = [removal.source];
    const { indicator, exceptImportId } = removal;
    if (indicator)
      conditions.push(`value = $${values.push(indicator.value)}`, `kind = $${values.push(indicator.kind)}`);
    if (exceptImportId) conditions.push(`import_id <> $${values.push(exceptImportId)}`);
    return this.#deleteWhere(conditions.join(" AND "), values);
  }

  async deleteExpired(nowMs: number): Promise<number> {
    const { removed } = await this.#deleteWhere("expires_at_ns <= $1", [nsOfMs(nowMs)]);
    if (this.#hasDeadRows) await this.#database.vacuum("indicators");
    this.#hasDeadRows = false;
    return removed;
  }

  async list({ source, value, after = BEGINNING, limit }: IndicatorQuery): Promise<StoredIndicator[]> {
    const conditions = ["(value, kind, source) > ($1, $2, $3)"];
    const values: unknown[] = [after.value, after.kind, after.source, limit];
    if (source) conditions.push(`source = $${values.push(source)}`);
    if (value) conditions.push(`value = $${values.push(value)}`);
    const rows = await this.#database.query<IndicatorRow>(
      `SELECT * FROM indicators WHERE ${conditions.join(" AND ")} ORDER BY value, kind, source LIMIT $4`,
      values,
    );
    return rows.map((row) =>
      create(StoredIndicatorSchema, {
        verdict: verdictOf(row),
        importId: row.import_id,
        importedAt: timestampOfNs(BigInt(row.imported_at_ns)),
      }),
    );
  }

  async sources(nowMs: number): Promise<IndicatorSource[]> {
    const rows = await this.#database.query<Record<"source" | "count" | "expired" | "last", string>>(
      `SELECT source, count(*) AS count, count(*) FILTER (WHERE expires_at_ns <= $1) AS expired,
       max(imported_at_ns) AS last FROM indicators GROUP BY source ORDER BY source`,
      [nsOfMs(nowMs)],
    );
    return rows.map(({ source, count, expired, last }) =>
      create(IndicatorSourceSchema, {
        name: source,
        indicators: BigInt(count),
        expired: BigInt(expired),
        lastImportAt: timestampOfNs(BigInt(last)),
      }),
    );
  }

  async #deleteWhere(condition: string, values: readonly unknown[]): Promise<{ removed: number; generation: bigint }> {
    let removed = 0;
    for (;;) {
      const { rows, generation } = await this.#database.transaction(async (queries) => {
        const state = await lockState(queries);
        const gone = await queries.query<{ kind: IndicatorKind; value: string }>(
          `DELETE FROM indicators WHERE ctid = ANY(ARRAY(SELECT ctid FROM indicators WHERE ${condition}
           LIMIT ${SWEEP_ROWS})) RETURNING kind, value`,
          values,
        );
        const indicators = gone.map(({ kind, value }) => create(IndicatorSchema, { kind, value }));
        return { rows: gone, generation: await noteChanges(queries, state, indicators, -gone.length) };
      });
      removed += rows.length;
      this.#hasDeadRows ||= rows.length > 0;
      if (rows.length < SWEEP_ROWS) return { removed, generation };
    }
  }
}

async function readState(queries: Queries, lock = ""): Promise<State> {
  const rows = await queries.query<Record<"generation" | "changes_from" | "indicators", bigint>>(
    `SELECT generation, changes_from, indicators FROM intel_state ${lock}`,
  );
  const { generation, changes_from: changesFrom, indicators } = rows[0]!;
  return { generation: BigInt(generation), changesFrom: BigInt(changesFrom), indicators: BigInt(indicators) };
}

/** Held until the transaction ends: generations are committed in their order, with several portals too. */
function lockState(queries: Queries): Promise<State> {
  return readState(queries, "FOR UPDATE");
}

/** Gives what changed the next generation and forgets changes that are too old to be told singly. */
async function noteChanges(
  queries: Queries,
  state: State,
  changed: readonly Indicator[],
  growth: number,
): Promise<bigint> {
  if (changed.length === 0) return state.generation;
  const generation = state.generation + 1n;
  await queries.query("INSERT INTO indicator_changes SELECT $1, hash FROM unnest($2::bigint[]) AS hash", [
    generation,
    changed.map((indicator) => BigInt.asIntN(64, hashOf(indicator)).toString()),
  ]);
  const old = await queries.query<{ generation: bigint }>(
    "SELECT generation FROM indicator_changes ORDER BY generation DESC OFFSET $1 LIMIT 1",
    [CHANGES_KEPT],
  );
  const changesFrom = old[0] ? BigInt(old[0].generation) : state.changesFrom;
  if (old[0]) await queries.query("DELETE FROM indicator_changes WHERE generation <= $1", [changesFrom]);
  await queries.query("UPDATE intel_state SET generation = $1, changes_from = $2, indicators = indicators + $3", [
    generation,
    changesFrom,
    growth,
  ]);
  return generation;
}

async function knownRows(queries: Queries, verdicts: readonly Verdict[]): Promise<Map<string, IndicatorRow>> {
  const rows = await queries.query<IndicatorRow>(
    "SELECT * FROM indicators WHERE source = $1 AND value = ANY($2::text[])",
    [verdicts[0]?.source ?? "", verdicts.map((verdict) => indicatorOf(verdict).value)],
  );
  return new Map(rows.map((row) => [indicatorKey(row), row]));
}

async function upsert(queries: Queries, importId: string, verdicts: readonly Verdict[], nowNs: bigint): Promise<void> {
  const indicators = verdicts.map(indicatorOf);
  await queries.query(
    `INSERT INTO indicators (value, kind, source, expires_at_ns, import_id, imported_at_ns, verdict)
     SELECT value, kind, $3, expires_at_ns, $5, $6, decode(verdict, 'base64')
     FROM unnest($1::text[], $2::smallint[], $4::bigint[], $7::text[]) AS given (value, kind, expires_at_ns, verdict)
     ON CONFLICT (value, kind, source) DO UPDATE SET expires_at_ns = excluded.expires_at_ns,
       import_id = excluded.import_id, imported_at_ns = excluded.imported_at_ns, verdict = excluded.verdict`,
    [
      indicators.map(({ value }) => value),
      indicators.map(({ kind }) => kind),
      verdicts[0]?.source ?? "",
      verdicts.map(({ expiresAt }) => (expiresAt ? nsOfTimestamp(expiresAt).toString() : null)),
      importId,
      nowNs,
      verdicts.map((verdict) => Buffer.from(encodedWithoutEnd(verdict)).toString("base64")),
    ],
  );
}

/** The end has a column of its own. */
function encodedWithoutEnd({ expiresAt, ...verdict }: Verdict): Uint8Array {
  return toBinary(VerdictSchema, create(VerdictSchema, verdict));
}

function verdictOf({ verdict, expires_at_ns: end }: IndicatorRow): Verdict {
  const decoded = fromBinary(VerdictSchema, verdict);
  return end === null ? decoded : create(VerdictSchema, { ...decoded, expiresAt: timestampOfNs(BigInt(end)) });
}

/**
 * Whether a sensor would be told something else. A later end is nothing else: lists that are imported each day move it
 * each day, and who was told the earlier one asks again when that is reached.
 */
function saysOtherThan(row: IndicatorRow, verdict: Verdict, nowNs: bigint): boolean {
  if (!Buffer.from(encodedWithoutEnd(verdict)).equals(row.verdict)) return true;
  if (row.expires_at_ns === null) return verdict.expiresAt !== undefined;
  const before = BigInt(row.expires_at_ns);
  return before <= nowNs || (verdict.expiresAt !== undefined && nsOfTimestamp(verdict.expiresAt) < before);
}

/** What decides between lists, in turn: a benign entry was put there against a false alarm and silences the others. */
const RANKS: readonly ((verdict: Verdict) => number)[] = [
  ({ disposition }) => Number(disposition === Disposition.BENIGN),
  ({ disposition }) => disposition,
  ({ confidence }) => confidence,
];

function countsBefore(one: Verdict, other: Verdict): boolean {
  for (const rank of RANKS) {
    const difference = rank(one) - rank(other);
    if (difference !== 0) return difference > 0;
  }
  // So that of two lists that say the same the answer is always the same one.
  return one.source < other.source;
}

function indicatorOf({ indicator }: Verdict): Indicator {
  if (!indicator) throw new Error("a verdict without its indicator came past the checks");
  return indicator;
}

function indicatorKey({ kind, value }: Pick<Indicator, "kind" | "value">): string {
  return `${kind}:${value}`;
}

function keyOf(verdict: Verdict): string {
  return indicatorKey(indicatorOf(verdict));
}
