// The memory of look-ups on disk: what waits for the portal, what it answered, and when it was last heard.
import { rmSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { hashOf } from "@nightjar/indicators";
import { Disposition, type Indicator, type Verdict, VerdictSchema } from "@nightjar/proto";
import { isCorruption } from "@nightjar/stage";
import { type BatchOperation, Level } from "level";
import { Bell, Turns } from "../turns.ts";
import {
  decodeEntry,
  digitsOf,
  type Entry,
  encodeEntry,
  entryDigits,
  isFresh,
  newEntry,
  type TimesToLive,
} from "./entry.ts";

export interface StoreOptions {
  ttl: TimesToLive;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Told of a memory that could not be read and was begun anew. */
  broken: (error: unknown) => void;
}

/** An indicator that waits for the portal. */
export interface Waiting {
  indicator: Indicator;
  number: bigint;
}

type Operation = BatchOperation<Level<string, Uint8Array>, string, Uint8Array>;

const ENTRY = "e!";
const QUEUE = "q!";
const CONTACT = "m!contact";
const GENERATION = "m!generation";
/** Sorts after every key of its prefix. */
const END = "\uffff";
const NUMBER_DIGITS = 16;
const PAGE_ENTRIES = 1_000;
/** How stale the time of the last sight may be, so that what is seen all the time is not written all the time. */
const SEEN_STEP_MS = 60 * 60 * 1_000;

export class LookUpStore {
  readonly #folder: string;
  readonly #options: StoreOptions;
  #db: Level<string, Uint8Array>;
  /** Changes come one after another. */
  readonly #turns = new Turns();
  #number = 0n;
  #entries = 0;
  #waiting = 0;
  #contactAtMs = 0;
  #generation: bigint | undefined;
  readonly #bell = new Bell();

  private constructor(folder: string, options: StoreOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#db = new Level(folder, { valueEncoding: "view" });
  }

  /**
   * With what an earlier process left; one that is corrupt is begun anew, since all of it is asked again. Rejects when
   * another process has it or the disk refuses.
   */
  static async open(folder: string, options: StoreOptions): Promise<LookUpStore> {
    const store = new LookUpStore(folder, options);
    try {
      await store.#load();
      return store;
    } catch (error) {
      await store.#db.close();
      if (!isCorruption(error)) throw error;
      rmSync(folder, { recursive: true, force: true });
      options.broken(error);
      const fresh = new LookUpStore(folder, options);
      await fresh.#load();
      return fresh;
    }
  }

  /** Indicators that are remembered. */
  get entries(): number {
    return this.#entries;
  }

  /** Of these, those that wait for the portal. */
  get waiting(): number {
    return this.#waiting;
  }

  /** When the portal was last heard, all was purged, or this memory began: milliseconds since 1970. */
  get contactAtMs(): number {
    return this.#contactAtMs;
  }

  /** Up to which changes at the portal are known here; undefined before the first. */
  get generation(): bigint | undefined {
    return this.#generation;
  }

  /**
   * Takes indicators in; resolves when what has to be asked is on the disk, with the verdicts that are known. What
   * `isUnknown` is sure of need not be asked.
   */
  take(indicators: readonly Indicator[], isUnknown: (hash: bigint) => boolean): Promise<Verdict[]> {
    return this.#turns.take(async () => {
      const now = this.#options.clock();
      const byDigits = new Map(indicators.map((indicator) => [digitsOf(hashOf(indicator)), indicator]));
      const known = await this.#get([...byDigits.keys()]);
      const settled: Verdict[] = [];
      const operations: Operation[] = [];
      const added = { entries: 0, waiting: 0 };
      for (const [digits, indicator] of byDigits) {
        const entry = known.get(digits) ?? newEntry(indicator, now);
        if (!known.has(digits)) added.entries++;
        const isAnswered = isFresh(entry, now, this.#options.ttl);
        if (isAnswered) settled.push(entry.verdict);
        else if (entry.waiting === 0n && isUnknown(hashOf(indicator))) {
          entry.verdict = create(VerdictSchema, { indicator, disposition: Disposition.UNKNOWN });
          entry.answeredAtMs = now;
          settled.push(entry.verdict);
        } else if (entry.waiting === 0n) {
          added.waiting++;
          operations.push(this.#enqueue(entry, now));
        }
        if (isAnswered && Math.abs(now - entry.seenAtMs) < SEEN_STEP_MS) continue;
        entry.seenAtMs = now;
        operations.push(put(ENTRY + digits, encodeEntry(entry)));
      }
      await this.#write(operations);
      this.#count(added.entries, added.waiting);
      return settled;
    });
  }

  /** Those that have waited longest. */
  async next(count: number): Promise<Waiting[]> {
    const queue = await this.#db.iterator({ gt: QUEUE, lt: QUEUE + END, limit: count }).all();
    const entries = await this.#get(queue.map(([, value]) => queuedDigits(value)));
    return [...entries.values()].map(({ verdict, waiting }) => ({ indicator: verdict.indicator!, number: waiting }));
  }

  /**
   * Remembers an answer to each and takes them out of the queue. For those whose answers are safe elsewhere. They are
   * of `generation` at least; the first ones say from where on changes have to be followed.
   */
  answer(asked: readonly Waiting[], verdicts: readonly Verdict[], generation: bigint): Promise<void> {
    return this.#turns.take(async () => {
      const now = this.#options.clock();
      const operations: Operation[] = [];
      const known = await this.#get(asked.map(({ indicator }) => digitsOf(hashOf(indicator))));
      let answered = 0;
      for (const [at, { indicator, number }] of asked.entries()) {
        const digits = digitsOf(hashOf(indicator));
        const entry = known.get(digits);
        // Purged meanwhile, or changed again at the portal: then it waits once more.
        if (entry?.waiting !== number) continue;
        answered++;
        const next: Entry = { ...entry, verdict: verdicts[at]!, answeredAtMs: now, waiting: 0n };
        operations.push(put(ENTRY + digits, encodeEntry(next)), { type: "del", key: queueKey(number) });
      }
      if (this.#generation === undefined) operations.push(put(GENERATION, numberBytes(generation)));
      await this.#write(operations);
      this.#generation ??= generation;
      this.#count(0, -answered);
    });
  }

  /** Has those of the indicators with these hashes that are remembered asked anew, then remembers the generation. */
  recheck(hashes: readonly bigint[], generation: bigint): Promise<void> {
    return this.#turns.take(async () => {
      for (let at = 0; at < hashes.length; at += PAGE_ENTRIES) {
        const known = await this.#get(hashes.slice(at, at + PAGE_ENTRIES).map(digitsOf));
        await this.#askAnew([...known.values()]);
      }
      await this.#write([put(GENERATION, numberBytes(generation))]);
      this.#generation = generation;
    });
  }

  /** Has all that is remembered asked anew, then remembers the generation. */
  recheckAll(generation: bigint): Promise<void> {
    return this.#turns.take(async () => {
      for await (const page of this.#pages()) await this.#askAnew(page);
      await this.#write([put(GENERATION, numberBytes(generation))]);
      this.#generation = generation;
    });
  }

  /** The portal was heard. Written at most once a minute or so by who calls it. */
  setContact(): Promise<void> {
    return this.#turns.take(() => this.#writeContact());
  }

  /** Deletes all that was collected, answered and asked; returns how many there were. */
  purge(): Promise<number> {
    return this.#turns.take(async () => {
      const purged = this.#entries;
      await this.#db.clear({ gt: ENTRY, lt: ENTRY + END });
      await this.#db.clear({ gt: QUEUE, lt: QUEUE + END });
      [this.#entries, this.#waiting] = [0, 0];
      // From here the time counts anew: what is collected from now on has its own day.
      await this.#writeContact();
      return purged;
    });
  }

  /** Deletes what has waited since before `ms`, so that its next sight asks anew; returns how many. */
  deleteWaitingBefore(ms: number): Promise<number> {
    return this.#turns.take(async () => {
      for (let deleted = 0; ; ) {
        const queue = await this.#db.iterator({ gt: QUEUE, lt: QUEUE + END, limit: PAGE_ENTRIES }).all();
        const stale = queue.filter(([, value]) => Number(numberOf(value)) < ms);
        const keys = stale.flatMap(([key, value]) => [key, ENTRY + queuedDigits(value)]);
        await this.#write(keys.map((key) => ({ type: "del", key })));
        this.#count(-stale.length, -stale.length);
        deleted += stale.length;
        if (stale.length < PAGE_ENTRIES) return deleted;
      }
    });
  }

  /** Deletes what was last seen before `ms`, and beyond `max` entries those seen longest ago; returns how many. */
  async deleteSeenBefore(ms: number, max: number): Promise<number> {
    const seen: number[] = [];
    if (this.#entries > max) for await (const page of this.#pages()) for (const one of page) seen.push(one.seenAtMs);
    const excess = Math.max(0, seen.length - max);
    const cutMs = excess > 0 ? seen.sort((left, right) => left - right)[excess - 1]! : Number.NEGATIVE_INFINITY;
    let left = excess;
    // Of several that were seen at the moment of the cut, only as many as have to.
    return await this.#deleteWhere(({ seenAtMs }) => seenAtMs < ms || (seenAtMs <= cutMs && left-- > 0));
  }

  /** Resolves when something waits for the portal, or when `signal` is aborted. For one waiter at a time. */
  waitForWaiting(signal: AbortSignal): Promise<void> {
    return this.#bell.wait(() => this.#waiting > 0, signal);
  }

  async close(): Promise<void> {
    await this.#turns.take(() => this.#db.close());
  }

  async #load(): Promise<void> {
    await this.#db.open();
    [this.#entries, this.#waiting] = [0, 0];
    for await (const page of this.#pages()) {
      this.#entries += page.length;
      for (const { waiting } of page) {
        if (waiting > 0n) this.#waiting++;
        if (waiting > this.#number) this.#number = waiting;
      }
    }
    const [contact, generation] = await this.#db.getMany([CONTACT, GENERATION]);
    this.#generation = generation && numberOf(generation);
    if (contact) this.#contactAtMs = Number(numberOf(contact));
    else await this.#writeContact();
  }

  async *#pages(): AsyncGenerator<Entry[]> {
    for (let after = ENTRY; ; ) {
      const rows = await this.#db.iterator({ gt: after, lt: ENTRY + END, limit: PAGE_ENTRIES }).all();
      if (rows.length > 0) yield rows.map(([, value]) => decodeEntry(value));
      if (rows.length < PAGE_ENTRIES) return;
      after = rows.at(-1)![0];
    }
  }

  async #get(digits: readonly string[]): Promise<Map<string, Entry>> {
    const values = await this.#db.getMany(digits.map((one) => ENTRY + one));
    return new Map(digits.flatMap((one, at) => (values[at] ? [[one, decodeEntry(values[at])]] : [])));
  }

  #enqueue(entry: Entry, nowMs: number): Operation {
    entry.waiting = ++this.#number;
    const value = Buffer.concat([numberBytes(BigInt(Math.trunc(nowMs))), Buffer.from(entryDigits(entry))]);
    return put(queueKey(entry.waiting), value);
  }

  async #askAnew(entries: readonly Entry[]): Promise<void> {
    const now = this.#options.clock();
    const operations: Operation[] = [];
    let added = 0;
    for (const entry of entries) {
      // One that waits gets a new place: its answer may be under way, and from before the change.
      if (entry.waiting > 0n) operations.push({ type: "del", key: queueKey(entry.waiting) });
      else added++;
      operations.push(this.#enqueue(entry, now), put(ENTRY + entryDigits(entry), encodeEntry(entry)));
    }
    await this.#write(operations);
    this.#count(0, added);
  }

  #deleteWhere(wanted: (entry: Entry) => boolean): Promise<number> {
    return this.#turns.take(async () => {
      let deleted = 0;
      for await (const page of this.#pages()) {
        const gone = page.filter(wanted);
        const waiting = gone.map((entry) => entry.waiting).filter((number) => number > 0n);
        const keys = [...gone.map((entry) => ENTRY + entryDigits(entry)), ...waiting.map(queueKey)];
        await this.#write(keys.map((key) => ({ type: "del", key })));
        this.#count(-gone.length, -waiting.length);
        deleted += gone.length;
      }
      return deleted;
    });
  }

  async #writeContact(): Promise<void> {
    const now = this.#options.clock();
    await this.#write([put(CONTACT, numberBytes(BigInt(Math.trunc(now))))]);
    this.#contactAtMs = now;
  }

  async #write(operations: Operation[]): Promise<void> {
    if (operations.length === 0) return;
    try {
      await this.#db.batch(operations, { sync: true });
    } catch (error) {
      // LevelDB refuses all writes after one has failed, until it is opened anew.
      await this.#reopen();
      throw error;
    }
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

  #count(entries: number, waiting: number): void {
    this.#entries += entries;
    this.#waiting += waiting;
    if (this.#waiting > 0) this.#bell.ring();
  }
}

function put(key: string, value: Uint8Array): Operation {
  return { type: "put", key, value };
}

function queueKey(number: bigint): string {
  return QUEUE + number.toString(16).padStart(NUMBER_DIGITS, "0");
}

function numberBytes(number: bigint): Buffer {
  const bytes = Buffer.alloc(BigUint64Array.BYTES_PER_ELEMENT);
  bytes.writeBigUInt64BE(number);
  return bytes;
}

function numberOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}

/** What stands behind the time in a place of the queue: whose it is. */
function queuedDigits(value: Uint8Array): string {
  return new TextDecoder().decode(value.subarray(BigUint64Array.BYTES_PER_ELEMENT));
}
