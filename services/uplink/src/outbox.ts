// Detections that the portal has not confirmed, on disk: worst first, each once, within a limit.
import { renameSync } from "node:fs";
import { isCorruption } from "@nightjar/stage";
import { type BatchOperation, Level } from "level";
import { detectionIn, type Encoded, idOf } from "./encoded.ts";
import { evictionOf } from "./eviction.ts";
import { DELETE_ENTRIES_MAX, ENTRY_OVERHEAD_BYTES, REFUSED_MAX } from "./limits.ts";
import { Bell, Turns } from "./turns.ts";

export interface OutboxOptions {
  /** Entries beyond are deleted, of the lowest severity the most repeated first. */
  bytesMax: number;
  /** Milliseconds since 1970, by a clock that nobody sets. */
  clock: () => number;
  /** Told of entries that were deleted because the outbox was full. */
  evicted: (count: number) => void;
  /** Told where an outbox that could not be read has been put; what was in it is not sent. */
  broken: (movedTo: string, error: unknown) => void;
}

export interface Entry {
  /** Priority, then a number that grows: the order in which entries are sent. */
  key: string;
  /** The detection's. */
  id: string;
  storedAtMs: number;
  bytes: number;
  /** The Detection as it is on disk. It is sent like this; `detectionIn` decodes it where somebody looks into it. */
  encoded: Uint8Array;
}

/** What the index knows of a detection by its id. */
interface Place {
  revision: number;
  bytes: number;
  key: string;
}

interface Adding {
  detections: readonly Encoded[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

type Operation = BatchOperation<Level<string, Uint8Array>, string, Uint8Array>;

const STORED_AT_BYTES = 8;
const SEQUENCE_DIGITS = 16;
/** Detections without a priority go last. */
const PRIORITY_LAST = 9;
const QUEUE = "q!";
const INDEX = "i!";
const REFUSED = "r!";
/** Sorts after every key of its prefix. */
const END = "\uffff";

const text = {
  encode: (value: string) => new TextEncoder().encode(value),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

export class Outbox {
  readonly #folder: string;
  readonly #options: OutboxOptions;
  #db: Level<string, Uint8Array>;
  #sequence = 0n;
  #bytes = 0;
  readonly #counts = new Array<number>(PRIORITY_LAST + 1).fill(0);
  readonly #adding: Adding[] = [];
  /** Changes come one after another. */
  readonly #turns = new Turns();
  readonly #bell = new Bell();

  private constructor(folder: string, options: OutboxOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#db = new Level(folder, { valueEncoding: "view" });
  }

  /**
   * Opens the outbox in `folder` with what an earlier process left there. One that is corrupt (a power cut, a bad
   * disk) is moved beside it, and an empty one begun. Rejects when another process has it or the disk refuses.
   */
  static async open(folder: string, options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(folder, options);
    try {
      await outbox.#load();
      return outbox;
    } catch (error) {
      await outbox.#db.close();
      if (!isCorruption(error)) throw error;
      const movedTo = `${folder}.broken-${options.clock()}`;
      renameSync(folder, movedTo);
      options.broken(movedTo, error);
      return await Outbox.open(folder, options);
    }
  }

  get count(): number {
    return this.#counts.reduce((sum, one) => sum + one, 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves when all are on the disk. A detection that is there in this revision or a higher one is passed over.
   * Rejects when the disk refuses; then none is known to be there, and it may be tried again.
   */
  add(detections: readonly Encoded[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#adding.push({ detections, resolve, reject });
      // What comes until the turn of this one shares its write.
      if (this.#adding.length === 1) void this.#turns.take(() => this.#addWaiting());
    });
  }

  /** The next to send, worst severity first; more than one only as long as they fit. */
  async take(countMax: number, bytesMax: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    let bytes = 0;
    for await (const [key, value] of this.#db.iterator({ gt: QUEUE, lt: QUEUE + END, limit: countMax })) {
      bytes += value.length;
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(entryOf(key, value));
    }
    return entries;
  }

  /** Deletes what the portal has confirmed. Not synced: after a crash it would be sent again, which is harmless. */
  remove(entries: readonly Entry[]): Promise<number> {
    return this.#turns.take(() => this.#delete(entries, []));
  }

  /** Takes an entry out of the queue and keeps it aside, with the latest others like it. */
  setAside(entry: Entry): Promise<void> {
    return this.#turns.take(async () => {
      const key = REFUSED + entry.key.slice(QUEUE.length + 1);
      await this.#delete([entry], [{ type: "put", key, value: entry.encoded }]);
      const keys = await this.#db.keys({ gt: REFUSED, lt: REFUSED + END }).all();
      const old = keys.slice(0, Math.max(0, keys.length - REFUSED_MAX));
      await this.#db.batch(old.map((key) => ({ type: "del", key })));
    });
  }

  /** Deletes what was stored before; returns how many. */
  deleteStoredBefore(ms: number): Promise<number> {
    return this.#turns.take(async () => {
      let deleted = 0;
      for (let priority = 0; priority <= PRIORITY_LAST; priority++) {
        for (let more = true; more; ) {
          const oldest = await this.#oldest(priority);
          const stale = oldest.filter((entry) => entry.storedAtMs < ms);
          deleted += await this.#delete(stale, []);
          more = stale.length === DELETE_ENTRIES_MAX;
        }
      }
      return deleted;
    });
  }

  /** Resolves when there is something to send, or when `signal` is aborted. For one waiter at a time. */
  waitForEntries(signal: AbortSignal): Promise<void> {
    return this.#bell.wait(() => this.count > 0, signal);
  }

  async close(): Promise<void> {
    await this.#turns.take(() => this.#db.close());
  }

  async #load(): Promise<void> {
    await this.#db.open();
    this.#bytes = 0;
    this.#counts.fill(0);
    for await (const value of this.#db.values({ gt: INDEX, lt: INDEX + END })) {
      const place = placeOf(value);
      this.#account(place, 1);
      const sequence = BigInt(`0x${place.key.slice(QUEUE.length + 1)}`);
      if (sequence > this.#sequence) this.#sequence = sequence;
    }
  }

  async #addWaiting(): Promise<void> {
    const waiting = this.#adding.splice(0);
    try {
      await this.#put(waiting.flatMap((one) => one.detections));
      for (const one of waiting) one.resolve();
    } catch (error) {
      // LevelDB refuses all writes after one has failed, until it is opened anew.
      await this.#reopen();
      for (const one of waiting) one.reject(error);
    }
  }

  async #put(detections: readonly Encoded[]): Promise<void> {
    const highest = new Map<string, Encoded>();
    for (const detection of detections) {
      const other = highest.get(detection.id);
      if (!other || other.revision < detection.revision) highest.set(detection.id, detection);
    }
    const known = await this.#places([...highest.keys()]);
    const operations: Operation[] = [];
    const gone: Place[] = [];
    const come: Place[] = [];
    for (const detection of highest.values()) {
      const before = known.get(detection.id);
      if (before && before.revision >= detection.revision) continue;
      if (before) {
        gone.push(before);
        operations.push({ type: "del", key: before.key });
      }
      come.push(this.#append(detection, operations));
    }
    if (come.length === 0) return;
    await this.#db.batch(operations, { sync: true });
    for (const place of gone) this.#account(place, -1);
    for (const place of come) this.#account(place, 1);
    if (this.#bytes > this.#options.bytesMax) await this.#evict();
    this.#bell.ring();
  }

  #append({ id, revision, priority, encoded }: Encoded, operations: Operation[]): Place {
    const value = new Uint8Array(STORED_AT_BYTES + encoded.length);
    new DataView(value.buffer).setBigUint64(0, BigInt(Math.trunc(this.#options.clock())));
    value.set(encoded, STORED_AT_BYTES);
    this.#sequence++;
    const sequence = this.#sequence.toString(16).padStart(SEQUENCE_DIGITS, "0");
    const key = `${QUEUE}${priority >= 1 && priority < PRIORITY_LAST ? priority : PRIORITY_LAST}${sequence}`;
    const place: Place = { revision, bytes: value.length + ENTRY_OVERHEAD_BYTES, key };
    operations.push({ type: "put", key, value });
    operations.push({ type: "put", key: INDEX + id, value: text.encode(JSON.stringify(place)) });
    return place;
  }

  /** Deletes entries that are still there and have not been replaced; returns how many. */
  async #delete(entries: readonly Entry[], others: Operation[]): Promise<number> {
    const places = await this.#places(entries.map((entry) => entry.id));
    const gone: Place[] = [];
    const operations = [...others];
    for (const { key, id } of entries) {
      const place = places.get(id);
      if (place?.key !== key) continue;
      gone.push(place);
      operations.push({ type: "del", key }, { type: "del", key: INDEX + id });
    }
    await this.#db.batch(operations);
    for (const place of gone) this.#account(place, -1);
    return gone.length;
  }

  async #evict(): Promise<void> {
    let evicted = 0;
    while (this.#bytes > this.#options.bytesMax && this.count > 0) {
      const lowest = this.#counts.findLastIndex((count) => count > 0);
      const excess = this.#bytes - this.#options.bytesMax;
      const candidates = (await this.#oldest(lowest)).map((entry) => ({ ...entry, detection: detectionIn(entry) }));
      evicted += await this.#delete(evictionOf(candidates, excess), []);
    }
    this.#options.evicted(evicted);
  }

  async #oldest(priority: number): Promise<Entry[]> {
    const range = { gt: `${QUEUE}${priority}`, lt: `${QUEUE}${priority}${END}`, limit: DELETE_ENTRIES_MAX };
    return (await this.#db.iterator(range).all()).map(([key, value]) => entryOf(key, value));
  }

  async #places(ids: string[]): Promise<Map<string, Place>> {
    const values = await this.#db.getMany(ids.map((id) => INDEX + id));
    return new Map(ids.flatMap((id, at) => (values[at] ? [[id, placeOf(values[at])]] : [])));
  }

  #account(place: Place, sign: 1 | -1): void {
    this.#bytes += sign * place.bytes;
    const priority = Number(place.key[QUEUE.length]);
    this.#counts[priority] = this.#counts[priority]! + sign;
  }

  async #reopen(): Promise<void> {
    try {
      await this.#db.close();
      this.#db = new Level(this.#folder, { valueEncoding: "view" });
      await this.#load();
    } catch {
      // The disk refuses this too; the next write fails and comes here again.
    }
  }
}

function placeOf(value: Uint8Array): Place {
  return JSON.parse(text.decode(value)) as Place;
}

function entryOf(key: string, value: Uint8Array): Entry {
  const storedAtMs = Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0));
  const encoded = value.subarray(STORED_AT_BYTES);
  return { key, id: idOf(encoded), storedAtMs, bytes: value.length + ENTRY_OVERHEAD_BYTES, encoded };
}
