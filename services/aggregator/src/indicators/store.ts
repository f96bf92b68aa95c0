// What is known of indicators, on disk: a record each, and the evidence of each process that showed it.
import { renameSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { IndicatorRecordSchema } from "@nightjar/proto";
import { isCorruption } from "@nightjar/stage";
import { Level } from "level";
import type { Entry } from "./entry.ts";
import { type IndicatorKey, indicatorOf, keyOf } from "./shown.ts";

const RECORD = "record!";
const SIGHTING = "sighting!";
/** Sorts behind every key of a prefix. */
const END = "\uffff";

/** Changes that are written together. */
export class Changes {
  readonly changed = new Set<Entry>();
  readonly gone = new Set<Entry>();
  readonly sightings: { entry: Entry; at: number; bytes: Uint8Array }[] = [];

  get isEmpty(): boolean {
    return this.changed.size + this.gone.size === 0;
  }
}

export interface Opened {
  store: IndicatorStore;
  /** The oldest first. */
  entries: Entry[];
  /** Where what could not be read was put. */
  broken?: string;
}

export class IndicatorStore {
  readonly #database: Level<string, Uint8Array>;

  private constructor(database: Level<string, Uint8Array>) {
    this.#database = database;
  }

  /** Opens the folder. What cannot be read is put beside it, and an empty store begun. */
  static async open(folder: string): Promise<Opened> {
    const database = new Level<string, Uint8Array>(folder, { valueEncoding: "view" });
    try {
      await database.open();
      const records = await database.values({ gte: RECORD, lt: `${RECORD}${END}` }).all();
      const entries = records.map(entryOf).sort((left, right) => left.createdAtMs - right.createdAtMs);
      return { store: new IndicatorStore(database), entries };
    } catch (error) {
      await database.close();
      if (!isCorruption(error)) throw error;
      const broken = `${folder}.broken-${Date.now()}`;
      renameSync(folder, broken);
      return { ...(await IndicatorStore.open(folder)), broken };
    }
  }

  /** Resolves when all of it is on disk; what a crash leaves is all of it or nothing. */
  async commit({ changed, gone, sightings }: Changes): Promise<void> {
    const batch = this.#database.batch();
    for (const { key, processes } of gone) {
      batch.del(`${RECORD}${key}`);
      for (let at = 0; at < processes.length; at++) batch.del(sightingKey(key, at));
    }
    for (const entry of changed) batch.put(`${RECORD}${entry.key}`, encode(entry));
    for (const { entry, at, bytes } of sightings) if (!gone.has(entry)) batch.put(sightingKey(entry.key, at), bytes);
    await batch.write();
  }

  /** The encoded evidence of an indicator's processes, in their order; what is not there is left out. */
  async sightings({ key, processes }: Entry): Promise<Uint8Array[]> {
    const found = await this.#database.getMany(processes.map((_, at) => sightingKey(key, at)));
    return found.filter((bytes) => bytes !== undefined);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

function sightingKey(key: IndicatorKey, at: number): string {
  return `${SIGHTING}${key}!${at.toString().padStart(2, "0")}`;
}

function encode(entry: Entry): Uint8Array {
  const { key, createdAtMs, askedAtMs, processes, evidenceBytes, omitted, verdict, told } = entry;
  const record = create(IndicatorRecordSchema, {
    indicator: indicatorOf(key),
    createdAt: timestampFromMs(createdAtMs),
    askedAt: timestampFromMs(askedAtMs),
    processes: processes.map((process) => {
      const [pid = "0", start = "0"] = process.split(":");
      return { pid: Number(pid), startTimeNs: BigInt(start) };
    }),
    evidenceBytes: BigInt(evidenceBytes),
    omitted,
    told,
    ...(verdict && { verdict }),
  });
  return toBinary(IndicatorRecordSchema, record);
}

function entryOf(bytes: Uint8Array): Entry {
  const { indicator, createdAt, askedAt, processes, evidenceBytes, omitted, verdict, told } = fromBinary(
    IndicatorRecordSchema,
    bytes,
  );
  if (!indicator || !createdAt || !askedAt) throw new Error("a record without its indicator or its times");
  return {
    key: keyOf(indicator),
    createdAtMs: timestampMs(createdAt),
    askedAtMs: timestampMs(askedAt),
    processes: processes.map(({ pid, startTimeNs }) => `${pid}:${startTimeNs}`),
    evidenceBytes: Number(evidenceBytes),
    omitted,
    verdict,
    told,
  };
}
