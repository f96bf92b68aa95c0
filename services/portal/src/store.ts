// What the portal remembers: detections by sensor and id, and each sensor's last heartbeat.
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  type Detection,
  DetectionSchema,
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  type StoredDetection,
  StoredDetectionSchema,
} from "@nightjar/proto";
import { nsOfMs, nsOfTimestamp, timestampOfNs } from "./clock.ts";
import type { Database, Queries } from "./database.ts";
import { FETCH_ROWS, PAGE_BYTES_MAX, SWEEP_ROWS, UPSERT_ROWS } from "./limits.ts";

/** A detection as it came, checked by validate.ts. */
export interface Arrival {
  sensorId: string;
  hostName: string;
  detection: Detection;
  encoded: Uint8Array;
}

export interface PageQuery {
  after: bigint;
  limit: number;
  sinceNs?: bigint;
  sensorId?: string;
  /** Hex digits. */
  idPrefix?: string;
}

export interface Page {
  detections: StoredDetection[];
  /** More may follow the last one. */
  more: boolean;
}

export interface SensorRow {
  heartbeat: HeartbeatRequest;
  firstSeenNs: bigint;
  lastSeenNs: bigint;
}

/** The channel on which portals tell each other that there is something new. */
const STORED = "nightjar_detections_stored";

interface Merged extends Arrival {
  deliveries: number;
}

export class Store {
  readonly #database: Database;
  readonly #assertRoom: () => void;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  /** Stores all of them in one transaction. Returns, in their order, which had not been known, and the last cursor. */
  async saveDetections(arrivals: readonly Arrival[], nowMs: number): Promise<{ fresh: boolean[]; cursor: bigint }> {
    this.#assertRoom();
    const merged = merge(arrivals);
    return this.#database.transaction(async (queries) => {
      const rows = await queries.query<{ value: bigint }>("UPDATE last_cursor SET value = value + $1 RETURNING value", [
        merged.size,
      ]);
      // Asked with the cursor's row locked: of two portals that are sent the same, the second finds the first's.
      const unknown = await unknownKeys(queries, [...merged.keys()]);
      const cursor = BigInt(rows[0]!.value);
      const rowsToWrite = rowsOf([...merged.values()], cursor - BigInt(merged.size), nsOfMs(nowMs));
      for (let at = 0; at < rowsToWrite.length; at += UPSERT_ROWS) {
        await upsert(queries, rowsToWrite.slice(at, at + UPSERT_ROWS));
      }
      if (this.#database.isShared) await queries.query(`NOTIFY ${STORED}`);
      // Of several deliveries of one detection in a batch, the first is the new one.
      const fresh = arrivals.map((arrival) => unknown.delete(keyOf(arrival)));
      return { fresh, cursor };
    });
  }

  /** Calls back with the last cursor when another portal has stored something. */
  async follow(stored: (cursor: bigint) => void, failed: (error: unknown) => void): Promise<void> {
    await this.#database.listen(STORED, () => void this.lastCursor().then(stored).catch(failed));
  }

  get isShared(): boolean {
    return this.#database.isShared;
  }

  /** The last cursor given; 0 while nothing has been stored. */
  async lastCursor(): Promise<bigint> {
    const rows = await this.#database.query<{ value: bigint }>("SELECT value FROM last_cursor");
    return BigInt(rows[0]!.value);
  }

  /** Detections in the order of their cursors; the page ends at `limit` or when its bytes are enough. */
  async listDetections(query: PageQuery): Promise<Page> {
    const detections: StoredDetection[] = [];
    let after = query.after;
    for (let bytes = 0; detections.length < query.limit && bytes < PAGE_BYTES_MAX; ) {
      const wanted = Math.min(FETCH_ROWS, query.limit - detections.length);
      const rows = await this.#fetch({ ...query, after, limit: wanted });
      for (const row of rows) {
        bytes += row.detection.length;
        after = BigInt(row.cursor);
        detections.push(storedDetection(row));
      }
      if (rows.length < wanted) return { detections, more: false };
    }
    return { detections, more: true };
  }

  #fetch(query: PageQuery): Promise<DetectionRow[]> {
    const values: unknown[] = [query.after, query.limit];
    const conditions = ["cursor > $1"];
    if (query.sinceNs !== undefined) conditions.push(`happened_at_ns >= $${values.push(query.sinceNs)}`);
    if (query.sensorId !== undefined) conditions.push(`sensor_id = $${values.push(query.sensorId)}`);
    // What begins with the digits sorts before what goes on with a letter behind f.
    if (query.idPrefix !== undefined) {
      const prefix = `$${values.push(query.idPrefix)}`;
      conditions.push(`id >= ${prefix} AND id < ${prefix} || 'g'`);
    }
    return this.#database.query<DetectionRow>(
      `SELECT sensor_id, host_name, received_at_ns, cursor, deliveries, detection FROM detections
       WHERE ${conditions.join(" AND ")} ORDER BY cursor LIMIT $2`,
      values,
    );
  }

  /** Each with its last heartbeat. */
  async listSensors(): Promise<SensorRow[]> {
    const rows = await this.#database.query<{ first_seen_ns: bigint; last_seen_ns: bigint; heartbeat: Uint8Array }>(
      "SELECT first_seen_ns, last_seen_ns, heartbeat FROM sensors ORDER BY first_seen_ns, id",
    );
    return rows.map((row) => ({
      heartbeat: fromBinary(HeartbeatRequestSchema, row.heartbeat),
      firstSeenNs: BigInt(row.first_seen_ns),
      lastSeenNs: BigInt(row.last_seen_ns),
    }));
  }

  /** Deletes what came before `beforeMs`, some rows at a time; returns how many. */
  async deleteReceivedBefore(beforeMs: number): Promise<number> {
    let deleted = 0;
    for (let last = SWEEP_ROWS; last === SWEEP_ROWS; deleted += last) {
      const rows = await this.#database.query(
        `DELETE FROM detections WHERE cursor IN
         (SELECT cursor FROM detections WHERE received_at_ns < $1 ORDER BY received_at_ns LIMIT $2) RETURNING cursor`,
        [nsOfMs(beforeMs), SWEEP_ROWS],
      );
      last = rows.length;
    }
    if (deleted > 0) await this.#database.vacuum("detections");
    return deleted;
  }

  maintain(): Promise<void> {
    return this.#database.maintain();
  }

  /** Rejects when the database no longer answers. */
  async probe(): Promise<void> {
    await this.#database.query("SELECT 1 AS one");
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

interface DetectionRow extends Record<string, unknown> {
  sensor_id: string;
  host_name: string;
  received_at_ns: bigint;
  cursor: bigint;
  deliveries: bigint;
  detection: Uint8Array;
}

function storedDetection(row: DetectionRow): StoredDetection {
  return create(StoredDetectionSchema, {
    detection: fromBinary(DetectionSchema, row.detection),
    sensorId: row.sensor_id,
    hostName: row.host_name,
    receivedAt: timestampOfNs(BigInt(row.received_at_ns)),
    cursor: BigInt(row.cursor),
    deliveries: Number(row.deliveries),
  });
}

/** No part of a key has a space. */
function keyOf({ sensorId, detection }: Arrival): string {
  return `${sensorId} ${detection.id}`;
}

/** One entry for each detection: its highest revision, and how often that came. */
function merge(arrivals: readonly Arrival[]): Map<string, Merged> {
  const merged = new Map<string, Merged>();
  for (const arrival of arrivals) {
    const known = merged.get(keyOf(arrival));
    if (!known || arrival.detection.revision > known.detection.revision) {
      merged.set(keyOf(arrival), { ...arrival, deliveries: 1 });
    } else if (arrival.detection.revision === known.detection.revision) known.deliveries++;
  }
  return merged;
}

async function unknownKeys(queries: Queries, keys: string[]): Promise<Set<string>> {
  const rows = await queries.query<{ key: string }>(
    `SELECT key FROM unnest($1::text[]) AS key WHERE NOT EXISTS (SELECT 1 FROM detections
     WHERE sensor_id = split_part(key, ' ', 1) AND id = split_part(key, ' ', 2))`,
    [keys],
  );
  return new Set(rows.map((row) => row.key));
}

/** The columns of a row that is written, in their order. */
const COLUMNS = [
  "sensor_id",
  "id",
  "revision",
  "cursor",
  "deliveries",
  "host_name",
  "rule",
  "priority",
  "happened_at_ns",
  "received_at_ns",
  "detection",
] as const;
/** What a later revision replaces. */
const REPLACED = COLUMNS.filter((column) => !["sensor_id", "id", "deliveries"].includes(column));

/** Values in the order of COLUMNS; cursors go on from `cursor`. */
function rowsOf(merged: readonly Merged[], cursor: bigint, nowNs: bigint): unknown[][] {
  return merged.map(({ sensorId, hostName, detection, encoded, deliveries }, index) => [
    sensorId,
    detection.id,
    detection.revision,
    cursor + BigInt(index) + 1n,
    deliveries,
    hostName,
    detection.rule,
    detection.priority,
    // Of repeats the last time: who asks for what happened since then wants what goes on.
    nsOfTimestamp(detection.lastTime ?? detection.time!),
    nowNs,
    encoded,
  ]);
}

/** A higher revision takes the place of a lower one and is new to readers; the same is counted; a lower one is not. */
async function upsert(queries: Queries, rows: readonly (readonly unknown[])[]): Promise<void> {
  const places = rows.map(
    (row, at) => `(${row.map((_, column) => `$${at * COLUMNS.length + column + 1}`).join(", ")})`,
  );
  const newer = "excluded.revision > known.revision";
  const replaced = REPLACED.map((name) => `${name} = CASE WHEN ${newer} THEN excluded.${name} ELSE known.${name} END`);
  await queries.query(
    `INSERT INTO detections AS known (${COLUMNS.join(", ")}) VALUES ${places.join(", ")}
     ON CONFLICT (sensor_id, id) DO UPDATE SET ${replaced.join(", ")}, deliveries =
       CASE WHEN ${newer} THEN excluded.deliveries ELSE known.deliveries + excluded.deliveries END
     WHERE excluded.revision >= known.revision`,
    rows.flat(),
  );
}
