// The findings of all sensors: what was found anew is compared with what is kept, and opened, changed or closed.
import { clone, create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Finding, FindingSchema, type FindingState, HeartbeatRequestSchema } from "@nightjar/proto";
import { rankOf } from "@nightjar/vulnerabilities";
import { nsOfMs, nsOfTimestamp, timestampOfNs } from "../clock.ts";
import type { Queries } from "../database.ts";
import { SWEEP_ROWS } from "../limits.ts";

/** Where a page of findings ended. */
export interface FindingPlace {
  rank: number;
  id: string;
  sensorId: string;
}

export interface FindingQuery {
  sensorId: string;
  states: readonly FindingState[];
  withClosed: boolean;
  /** An advisory's id or alias; "" for all. */
  advisory: string;
  after: FindingPlace | undefined;
  limit: number;
}

interface FindingRow extends Record<string, unknown> {
  id: string;
  sensor_id: string;
  rank: number;
  closed_at_ns: bigint | null;
  finding: Uint8Array;
}

const RANK_MAX = 2 ** 31 - 1;
const BEGINNING: FindingPlace = { rank: RANK_MAX, id: "", sensorId: "" };

/** Brings a sensor's findings up to what was found; `found` has neither sensor nor times. */
export async function saveFindings(
  queries: Queries,
  sensorId: string,
  found: readonly Finding[],
  nowMs: number,
): Promise<{ opened: number; closed: number }> {
  const rows = await queries.query<FindingRow>(
    "SELECT id, sensor_id, rank, closed_at_ns, finding FROM findings WHERE sensor_id = $1",
    [sensorId],
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  const hostName = await hostNameOf(queries, sensorId);
  const counts = { opened: 0, closed: 0 };
  const changed: Finding[] = [];
  for (const finding of found) {
    const row = known.get(finding.id);
    const before = row && row.closed_at_ns === null ? fromBinary(FindingSchema, row.finding) : undefined;
    if (!before) counts.opened++;
    const now = continued(before, { ...finding, sensorId, hostName }, nowMs);
    if (!before || !equals(FindingSchema, before, now)) changed.push(now);
    known.delete(finding.id);
  }
  for (const row of known.values()) {
    if (row.closed_at_ns !== null) continue;
    counts.closed++;
    changed.push({ ...fromBinary(FindingSchema, row.finding), closedAt: timestampOfNs(nsOfMs(nowMs)) });
  }
  for (let at = 0; at < changed.length; at += SWEEP_ROWS) await upsert(queries, changed.slice(at, at + SWEEP_ROWS));
  return counts;
}

/** Since when it is open, and since when it is as it is. */
function continued(before: Finding | undefined, found: Finding, nowMs: number): Finding {
  const now = timestampOfNs(nsOfMs(nowMs));
  const isSame = before?.state === found.state && before.exposure === found.exposure;
  const changedAt = (isSame && before.changedAt) || now;
  return clone(FindingSchema, create(FindingSchema, { ...found, openedAt: before?.openedAt ?? now, changedAt }));
}

/** As the sensor's last heartbeat has it. */
async function hostNameOf(queries: Queries, sensorId: string): Promise<string> {
  const [row] = await queries.query<{ heartbeat: Uint8Array }>("SELECT heartbeat FROM sensors WHERE id = $1", [
    sensorId,
  ]);
  return row ? (fromBinary(HeartbeatRequestSchema, row.heartbeat).sensor?.hostName ?? "") : "";
}

async function upsert(queries: Queries, findings: readonly Finding[]): Promise<void> {
  await queries.query(
    `INSERT INTO findings (sensor_id, id, state, rank, closed_at_ns, names, finding)
     SELECT sensor_id, id, state, rank, closed_at_ns, string_to_array(names, ' '), decode(finding, 'base64')
     FROM unnest($1::text[], $2::text[], $3::smallint[], $4::integer[], $5::bigint[], $6::text[], $7::text[])
       AS given (sensor_id, id, state, rank, closed_at_ns, names, finding)
     ON CONFLICT (sensor_id, id) DO UPDATE SET state = excluded.state, rank = excluded.rank,
       closed_at_ns = excluded.closed_at_ns, names = excluded.names, finding = excluded.finding`,
    [
      findings.map(({ sensorId }) => sensorId),
      findings.map(({ id }) => id),
      findings.map(({ state }) => state),
      findings.map(rankOf),
      findings.map(({ closedAt }) => (closedAt ? nsOfTimestamp(closedAt).toString() : null)),
      findings.map(({ advisoryId, aliases }) => [advisoryId, ...aliases].join(" ")),
      findings.map((finding) => Buffer.from(toBinary(FindingSchema, finding)).toString("base64")),
    ],
  );
}

/** A page, the highest rank first. */
export async function listFindings(queries: Queries, query: FindingQuery): Promise<Finding[]> {
  const { sensorId, states, withClosed, advisory, after = BEGINNING, limit } = query;
  const conditions = ["(-rank, id, sensor_id) > ($1, $2, $3)"];
  const values: unknown[] = [-after.rank, after.id, after.sensorId, limit];
  if (sensorId !== "") conditions.push(`sensor_id = $${values.push(sensorId)}`);
  if (states.length > 0) conditions.push(`state = ANY($${values.push([...states])}::smallint[])`);
  if (!withClosed) conditions.push("closed_at_ns IS NULL");
  if (advisory !== "") conditions.push(`$${values.push(advisory)} = ANY(names)`);
  const rows = await queries.query<FindingRow>(
    `SELECT * FROM findings WHERE ${conditions.join(" AND ")} ORDER BY -rank, id, sensor_id LIMIT $4`,
    values,
  );
  return rows.map(({ finding }) => fromBinary(FindingSchema, finding));
}

/** Deletes what has been closed since before; returns how many. */
export async function deleteClosedBefore(queries: Queries, untilMs: number): Promise<number> {
  const rows = await queries.query("DELETE FROM findings WHERE closed_at_ns < $1 RETURNING id", [nsOfMs(untilMs)]);
  return rows.length;
}
