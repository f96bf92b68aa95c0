// Heartbeats, and the times between two of them in which nothing was heard of a sensor.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  type Outage,
  OutageReportSchema,
  OutageSchema,
} from "@nightjar/proto";
import { nsOfMs, nsOfTimestamp, timestampOfNs } from "../clock.ts";
import { patienceMs } from "../condition.ts";
import type { Database } from "../database.ts";
import { SENSORS_MAX } from "../limits.ts";

export interface OutageQuery {
  limit: number;
  nowMs: number;
  sensorId?: string;
  /** Those that ended before are left out. */
  sinceNs?: bigint;
}

/** The portal knows as many sensors as it may. */
export class SensorsFullError extends Error {}

export class OutageStore {
  readonly #database: Database;
  readonly #assertRoom: () => void;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  /**
   * Remembers how a sensor says it is, and, where it had been silent or blind, for how long and what it tells of that:
   * in one statement, so that one of two portals does. A heartbeat that came too late to be answered told of less
   * than the next one, which tells since the same moment. Throws SensorsFullError for one too many.
   */
  async saveHeartbeat(heartbeat: HeartbeatRequest, nowMs: number): Promise<void> {
    this.#assertRoom();
    const { outageReport = create(OutageReportSchema), sensor, isStopping } = heartbeat;
    const isBlind = outageReport.blind.length > 0;
    const values = [
      sensor!.id,
      nsOfMs(nowMs),
      toBinary(HeartbeatRequestSchema, heartbeat),
      nsOfMs(nowMs + patienceMs(heartbeat)),
      isStopping,
      outageReport.since ? nsOfTimestamp(outageReport.since) : null,
    ];
    if (!isBlind && (await this.#database.query(NEXT_HEARTBEAT, values)).length > 0) return;
    const report = toBinary(OutageReportSchema, outageReport);
    const rows = await this.#database.query(HEARTBEAT, [...values, SENSORS_MAX, sensor!.hostName, report, isBlind]);
    if (rows.length === 0) throw new SensorsFullError(`this portal knows ${SENSORS_MAX} sensors, its most`);
  }

  /** The latest first; those that go on before all others. */
  async list({ limit, nowMs, sensorId, sinceNs }: OutageQuery): Promise<Outage[]> {
    const rows = await this.#database.query<OutageRow>(
      `SELECT id AS sensor_id, heartbeat, last_seen_ns AS from_ns, NULL::bigint AS until_ns, is_stopping AS was_stopped,
         NULL::bytea AS report, '' AS host_name FROM sensors
       WHERE (is_stopping OR silent_after_ns < $1) AND ($2 = '' OR id = $2)
       UNION ALL
       SELECT sensor_id, NULL, from_ns, until_ns, was_stopped, report, host_name FROM outages
       WHERE ($2 = '' OR sensor_id = $2) AND until_ns >= $3
       ORDER BY until_ns DESC NULLS FIRST, from_ns DESC LIMIT $4`,
      [nsOfMs(nowMs), sensorId ?? "", sinceNs ?? 0n, limit],
    );
    return rows.map(outageOf);
  }

  /** Deletes those that ended before; returns how many. */
  async deleteEndedBefore(beforeMs: number): Promise<number> {
    const rows = await this.#database.query("DELETE FROM outages WHERE until_ns < $1 RETURNING from_ns", [
      nsOfMs(beforeMs),
    ]);
    return rows.length;
  }
}

/** Nearly all: a sensor that is known, in time, and was answered since. Less to plan and to do than the other. */
const NEXT_HEARTBEAT = `
  UPDATE sensors SET last_seen_ns = $2::bigint, heartbeat = $3::bytea, silent_after_ns = $4::bigint,
    is_stopping = $5::boolean, since_ns = $6::bigint
  WHERE id = $1 AND $2::bigint <= silent_after_ns AND since_ns <> $6::bigint RETURNING id`;

/** The first of a sensor, and those that begin or go on with telling of an outage. */
const HEARTBEAT = `
  WITH before AS (SELECT last_seen_ns, silent_after_ns, is_stopping FROM sensors WHERE id = $1),
  outage AS (
    INSERT INTO outages (sensor_id, host_name, from_ns, until_ns, was_stopped, report, since_ns)
    SELECT $1::text, $8::text, last_seen_ns, $2::bigint, is_stopping, $9::bytea, $6::bigint FROM before
    WHERE $2::bigint > silent_after_ns OR ($10::boolean AND NOT EXISTS (
      SELECT 1 FROM outages WHERE sensor_id = $1 AND since_ns = $6::bigint))
    ON CONFLICT DO NOTHING RETURNING from_ns),
  told_again AS (
    UPDATE outages SET report = $9::bytea WHERE sensor_id = $1 AND since_ns = $6::bigint
    AND from_ns = (SELECT max(from_ns) FROM outages WHERE sensor_id = $1)
    AND NOT EXISTS (SELECT 1 FROM outage))
  INSERT INTO sensors (id, first_seen_ns, last_seen_ns, heartbeat, silent_after_ns, is_stopping, since_ns)
  SELECT $1::text, $2::bigint, $2::bigint, $3::bytea, $4::bigint, $5::boolean, $6::bigint
  WHERE EXISTS (SELECT 1 FROM before) OR (SELECT count(*) FROM sensors) < $7::bigint
  ON CONFLICT (id) DO UPDATE SET last_seen_ns = excluded.last_seen_ns, heartbeat = excluded.heartbeat,
    silent_after_ns = excluded.silent_after_ns, is_stopping = excluded.is_stopping, since_ns = excluded.since_ns
  RETURNING id`;

interface OutageRow extends Record<string, unknown> {
  sensor_id: string;
  host_name: string;
  /** Of a sensor that is silent now, which has its name in there. */
  heartbeat: Uint8Array | null;
  from_ns: bigint;
  until_ns: bigint | null;
  was_stopped: boolean;
  report: Uint8Array | null;
}

function outageOf(row: OutageRow): Outage {
  const sensor = row.heartbeat === null ? undefined : fromBinary(HeartbeatRequestSchema, row.heartbeat).sensor;
  return create(OutageSchema, {
    sensorId: row.sensor_id,
    hostName: sensor?.hostName ?? row.host_name,
    from: timestampOfNs(BigInt(row.from_ns)),
    ...(row.until_ns !== null && { until: timestampOfNs(BigInt(row.until_ns)) }),
    wasStopped: row.was_stopped,
    ...(row.report !== null && { report: fromBinary(OutageReportSchema, row.report) }),
  });
}
