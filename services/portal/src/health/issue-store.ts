// What the portal remembers of sensors' health issues: each in its latest revision, with its history's end.
import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type HealthIssue,
  HealthIssueSchema,
  HealthResolution,
  type ReportHealthRequest,
  type StoredHealthIssue,
  StoredHealthIssueSchema,
} from "@nightjar/proto";
import { nsOfMs, nsOfTimestamp, timestampOfNs } from "../clock.ts";
import type { Database, Queries } from "../database.ts";
import { SWEEP_ROWS, UPSERT_ROWS } from "../limits.ts";

export interface IssueQuery {
  after: bigint;
  limit: number;
  sensorId?: string;
  onlyOpen?: boolean;
  /** Those that ended before are left out. */
  sinceNs?: bigint;
}

export interface IssuePage {
  issues: StoredHealthIssue[];
  /** More may follow the last one. */
  more: boolean;
}

/** A row to be written; its cursor is given with all others of the same transaction. */
interface Change {
  sensorId: string;
  hostName: string;
  issue: HealthIssue;
}

export class HealthStore {
  readonly #database: Database;
  readonly #assertRoom: () => void;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  /** Stores what a sensor reports, in one transaction; returns the last cursor. */
  async save(report: ReportHealthRequest, nowMs: number): Promise<bigint> {
    this.#assertRoom();
    const { sensorId, hostName, issues } = report;
    return await this.#database.transaction(async (queries) => {
      const changes: Change[] = latest(issues).map((issue) => ({ sensorId, hostName, issue }));
      if (report.isComplete) changes.push(...(await reconciled(queries, report, nowMs)));
      return await write(queries, changes, nowMs);
    });
  }

  /** In the order in which they changed. */
  async list(query: IssueQuery): Promise<IssuePage> {
    const values: unknown[] = [query.after, query.limit];
    const conditions = ["cursor > $1"];
    if (query.sensorId !== undefined) conditions.push(`sensor_id = $${values.push(query.sensorId)}`);
    if (query.onlyOpen) conditions.push("resolved_at_ns IS NULL");
    if (query.sinceNs !== undefined) {
      conditions.push(`(resolved_at_ns IS NULL OR resolved_at_ns >= $${values.push(query.sinceNs)})`);
    }
    const rows = await this.#database.query<IssueRow>(
      `SELECT ${READ} FROM health_issues WHERE ${conditions.join(" AND ")} ORDER BY cursor LIMIT $2`,
      values,
    );
    return { issues: rows.map(storedIssue), more: rows.length === query.limit };
  }

  /** The last cursor given; 0 while nothing has been stored. */
  async lastCursor(): Promise<bigint> {
    return cursorOf(await this.#database.query<CursorRow>("SELECT value FROM last_health_cursor"));
  }

  /** Ends what is open of sensors not heard of since `beforeMs`: nobody will say any more that it is over. */
  async endSilent(beforeMs: number, nowMs: number): Promise<bigint> {
    return await this.#database.transaction(async (queries) => {
      const rows = await queries.query<IssueRow>(
        `SELECT ${READ} FROM health_issues WHERE resolved_at_ns IS NULL AND received_at_ns < $1
         AND NOT EXISTS (SELECT 1 FROM sensors WHERE id = sensor_id AND last_seen_ns >= $1) LIMIT $2`,
        [nsOfMs(beforeMs), SWEEP_ROWS],
      );
      const changes = rows.map((row) => ended(row, HealthResolution.SENSOR_SILENT, nowMs));
      return await write(queries, changes, nowMs);
    });
  }

  /** Deletes what ended before; returns how many. */
  async deleteEndedBefore(beforeMs: number): Promise<number> {
    const rows = await this.#database.query("DELETE FROM health_issues WHERE resolved_at_ns < $1 RETURNING cursor", [
      nsOfMs(beforeMs),
    ]);
    return rows.length;
  }
}

const READ = "sensor_id, host_name, received_at_ns, cursor, issue";

interface IssueRow extends Record<string, unknown> {
  sensor_id: string;
  host_name: string;
  received_at_ns: bigint;
  cursor: bigint;
  issue: Uint8Array;
}

interface CursorRow extends Record<string, unknown> {
  value: bigint;
}

function cursorOf(rows: readonly CursorRow[]): bigint {
  return BigInt(rows[0]!.value);
}

function storedIssue(row: IssueRow): StoredHealthIssue {
  return create(StoredHealthIssueSchema, {
    issue: fromBinary(HealthIssueSchema, row.issue),
    sensorId: row.sensor_id,
    hostName: row.host_name,
    receivedAt: timestampOfNs(BigInt(row.received_at_ns)),
    cursor: BigInt(row.cursor),
  });
}

/** Each issue once, in its highest revision: PostgreSQL writes no row twice in one statement. */
function latest(issues: readonly HealthIssue[]): HealthIssue[] {
  const byId = new Map<string, HealthIssue>();
  for (const issue of issues) {
    const known = byId.get(issue.id);
    if (!known || issue.revision > known.revision) byId.set(issue.id, issue);
  }
  return [...byId.values()];
}

/** By the portal, not by a stage: undone when the sensor says that it is open after all. */
const BY_PORTAL: readonly HealthResolution[] = [HealthResolution.SENSOR_SILENT, HealthResolution.NOT_REPORTED];

/** What a complete report says by what is not in it. */
async function reconciled(queries: Queries, report: ReportHealthRequest, nowMs: number): Promise<Change[]> {
  const open = new Set(report.openIds);
  const told = new Set(report.issues.map(({ id }) => id));
  const rows = await queries.query<IssueRow>(
    `SELECT ${READ} FROM health_issues WHERE sensor_id = $1 AND (resolved_at_ns IS NULL OR id = ANY($2::text[]))`,
    [report.sensorId, report.openIds],
  );
  return rows.flatMap((row) => {
    const issue = fromBinary(HealthIssueSchema, row.issue);
    if (told.has(issue.id)) return [];
    if (!open.has(issue.id)) return [ended(row, HealthResolution.NOT_REPORTED, nowMs)];
    return BY_PORTAL.includes(issue.resolution) ? [reopened(row)] : [];
  });
}

function ended(row: IssueRow, resolution: HealthResolution, nowMs: number): Change {
  const issue = fromBinary(HealthIssueSchema, row.issue);
  return {
    sensorId: row.sensor_id,
    hostName: row.host_name,
    issue: { ...issue, resolution, resolvedAt: timestampFromMs(nowMs) },
  };
}

function reopened(row: IssueRow): Change {
  const issue = clone(HealthIssueSchema, fromBinary(HealthIssueSchema, row.issue));
  delete issue.resolvedAt;
  issue.resolution = HealthResolution.UNSPECIFIED;
  return { sensorId: row.sensor_id, hostName: row.host_name, issue };
}

const COLUMNS = ["sensor_id", "id", "revision", "cursor", "host_name", "resolved_at_ns", "received_at_ns", "issue"];
const REPLACED = COLUMNS.filter((column) => !["sensor_id", "id"].includes(column));

/** A lower revision than what is there is passed over, and so is the same one again: the sensor was not answered. */
async function write(queries: Queries, changes: readonly Change[], nowMs: number): Promise<bigint> {
  // The row's lock makes cursors be committed in their order, with several portals too.
  const rows = await queries.query<CursorRow>("UPDATE last_health_cursor SET value = value + $1 RETURNING value", [
    changes.length,
  ]);
  const last = cursorOf(rows);
  const first = last - BigInt(changes.length) + 1n;
  const values = changes.map(({ sensorId, hostName, issue }, index) => [
    sensorId,
    issue.id,
    issue.revision,
    first + BigInt(index),
    hostName,
    issue.resolvedAt ? nsOfTimestamp(issue.resolvedAt) : null,
    nsOfMs(nowMs),
    toBinary(HealthIssueSchema, issue),
  ]);
  for (let at = 0; at < values.length; at += UPSERT_ROWS) await upsert(queries, values.slice(at, at + UPSERT_ROWS));
  return last;
}

async function upsert(queries: Queries, rows: readonly (readonly unknown[])[]): Promise<void> {
  const places = rows.map(
    (row, at) => `(${row.map((_, column) => `$${at * COLUMNS.length + column + 1}`).join(", ")})`,
  );
  await queries.query(
    `INSERT INTO health_issues AS known (${COLUMNS.join(", ")}) VALUES ${places.join(", ")}
     ON CONFLICT (sensor_id, id) DO UPDATE SET ${REPLACED.map((name) => `${name} = excluded.${name}`).join(", ")}
     WHERE excluded.revision > known.revision OR
       (excluded.revision = known.revision AND excluded.issue <> known.issue)`,
    rows.flat(),
  );
}
