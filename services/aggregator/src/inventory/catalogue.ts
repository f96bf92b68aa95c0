// The items of a host's inventory, in memory: what is seen is put here, and what changed has a revision.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type InventoryItem, InventoryItemSchema } from "@nightjar/proto";
import type { ItemId, ItemKind } from "./identity.ts";

const MS_PER_DAY = 86_400_000;
/** That something was seen again is worth telling only so much later. */
const SIGHT_TOLD_MS = MS_PER_DAY;
/** Forgotten items that are remembered, so that a delta can tell of them; a longer absence costs a snapshot. */
export const GONE_MAX = 20_000;
/** What goes at once when there are too many, as a part of all: one by one would sort them each time. */
const EVICT_PART = 1 / 16;

export interface Entry {
  readonly id: ItemId;
  readonly item: InventoryItem;
  /** By this host's clock, ms since 1970; of the item itself they are brought up to date when it is told. */
  lastSeenMs: number;
  count: number;
  /** The last sight that was told. */
  toldMs: number;
  /** It has changed in a way that is worth telling, and has no revision for it yet. */
  isChanged: boolean;
  /** It was seen again since it was written. */
  isTouched: boolean;
}

/** When something is seen, ms since 1970, and how often it happened: a look at what runs is a sight of no time. */
export interface When {
  ms: number;
  times: number;
}

export interface Gone {
  id: ItemId;
  revision: bigint;
}

/** What is to be written. */
export interface Settled {
  changed: Entry[];
  touched: Entry[];
  gone: Gone[];
  /** Of what was forgotten nobody will be told any more. */
  goneForgotten: Gone[];
}

export interface CatalogueLimits {
  itemsMax: number;
  /** How long what is not seen any more is kept. */
  keptMs: number;
}

/** Whether an item must stay though it was not seen for long: what runs is not seen again. */
export type IsHeld = (entry: Entry) => boolean;

export class Catalogue {
  /** Items that were forgotten to make room. */
  evicted = 0;
  readonly epoch: bigint;
  revision: bigint;
  readonly #entries = new Map<ItemId, Entry>();
  readonly #limits: CatalogueLimits;
  readonly #dirty = new Set<Entry>();
  #gone: Gone[];
  #goneUnwritten: Gone[] = [];
  #goneForgotten: Gone[] = [];
  /** The highest revision of a forgotten item that is not remembered any more. */
  #goneBefore = 0n;

  constructor(limits: CatalogueLimits, { epoch, revision = 0n, entries = [], gone = [] }: CatalogueStart) {
    this.#limits = limits;
    this.epoch = epoch;
    this.revision = revision;
    this.#gone = [...gone];
    for (const entry of entries) this.#entries.set(entry.id, entry);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: ItemId): Entry | undefined {
    return this.#entries.get(id);
  }

  *[Symbol.iterator](): Generator<Entry> {
    yield* this.#entries.values();
  }

  /** A sight of an item that is known. */
  touch(entry: Entry, { ms, times }: When): void {
    entry.count += times;
    if (ms > entry.lastSeenMs) entry.lastSeenMs = ms;
    if (entry.isTouched) return;
    entry.isTouched = true;
    this.#dirty.add(entry);
  }

  /** The item with this id, made where it is not known; in any case a sight of it. */
  see(id: ItemId, at: When, make: () => InventoryItem["what"]): Entry {
    const known = this.#entries.get(id);
    if (known) {
      this.touch(known, at);
      return known;
    }
    const item = create(InventoryItemSchema, { id, firstSeenAt: timestampFromMs(at.ms), what: make() });
    const entry = { id, item, lastSeenMs: at.ms, count: 0, toldMs: 0, isChanged: false, isTouched: false };
    this.#entries.set(id, entry);
    this.change(entry);
    this.touch(entry, at);
    return entry;
  }

  /** Something of it is another now, which is worth telling. */
  change(entry: Entry): void {
    if (entry.isChanged) return;
    entry.isChanged = true;
    this.#dirty.add(entry);
  }

  /** Gives each change a revision, and says what there is to write; what is not held and too much is forgotten. */
  settle(isHeld: IsHeld): Settled {
    const settled: Settled = { changed: [], touched: [], gone: [], goneForgotten: [] };
    if (this.#entries.size > this.#limits.itemsMax) this.#evict(isHeld);
    for (const entry of this.#dirty) {
      if (this.#entries.get(entry.id) !== entry) continue;
      const isWorth = entry.isChanged || Math.abs(entry.lastSeenMs - entry.toldMs) > SIGHT_TOLD_MS;
      entry.isChanged = entry.isTouched = false;
      if (isWorth) settled.changed.push(this.#tell(entry));
      else settled.touched.push(entry);
    }
    this.#dirty.clear();
    settled.gone = this.#goneUnwritten.splice(0);
    settled.goneForgotten = this.#goneForgotten.splice(0);
    return settled;
  }

  /** Forgets what was not seen for too long. */
  expire(nowMs: number, isHeld: IsHeld): void {
    for (const entry of this.#entries.values())
      if (nowMs - entry.lastSeenMs > this.#limits.keptMs && !isHeld(entry)) this.forget(entry);
  }

  /** What is newer than a revision, the oldest first; undefined where it is not known what was forgotten since. */
  since(revision: bigint, kinds: ReadonlySet<ItemKind> = NO_KINDS): { entries: Entry[]; gone: Gone[] } | undefined {
    if (revision > 0n && revision < this.#goneBefore) return undefined;
    const entries = [...this.#entries.values()]
      .filter(({ item }) => item.revision > revision && isOf(item, kinds))
      .sort((left, right) => (left.item.revision < right.item.revision ? -1 : 1));
    return { entries, gone: revision === 0n ? [] : this.#gone.filter((one) => one.revision > revision) };
  }

  #tell(entry: Entry): Entry {
    const { item } = entry;
    item.revision = ++this.revision;
    bringUpToDate(entry);
    entry.toldMs = entry.lastSeenMs;
    return entry;
  }

  /** It is no more. */
  forget({ id }: Entry): void {
    this.#entries.delete(id);
    const gone = { id, revision: ++this.revision };
    this.#goneUnwritten.push(gone);
    this.#gone.push(gone);
    if (this.#gone.length <= GONE_MAX) return;
    this.#goneForgotten.push(...this.#gone.splice(0, GONE_MAX / 2));
    this.#goneBefore = this.#gone[0]?.revision ?? this.revision;
  }

  /** Those seen longest ago go; what is held goes only where there is nothing else. */
  #evict(isHeld: IsHeld): void {
    const free = [...this.#entries.values()]
      .filter((entry) => !isHeld(entry))
      .sort((left, right) => left.lastSeenMs - right.lastSeenMs);
    const surplus = this.#entries.size - this.#limits.itemsMax + Math.ceil(this.#limits.itemsMax * EVICT_PART);
    for (const entry of free.slice(0, surplus)) {
      this.evicted++;
      this.forget(entry);
    }
  }
}

export interface CatalogueStart {
  epoch: bigint;
  revision?: bigint;
  entries?: Iterable<Entry>;
  gone?: readonly Gone[];
}

const NO_KINDS: ReadonlySet<ItemKind> = new Set();

function isOf({ what }: InventoryItem, kinds: ReadonlySet<ItemKind>): boolean {
  return kinds.size === 0 || (what.case !== undefined && kinds.has(what.case));
}

/** Puts the latest sight into the item itself. */
export function bringUpToDate({ item, lastSeenMs, count }: Entry): InventoryItem {
  item.lastSeenAt = timestampFromMs(lastSeenMs);
  item.count = BigInt(count);
  return item;
}

/** An entry as its item was kept, with the sights that were noted beside it. */
export function entryOf(item: InventoryItem, sights?: { lastSeenMs: number; count: number }): Entry {
  const toldMs = item.lastSeenAt ? timestampMs(item.lastSeenAt) : 0;
  const { lastSeenMs = toldMs, count = Number(item.count) } = sights ?? {};
  return {
    id: item.id,
    item,
    lastSeenMs: Math.max(lastSeenMs, toldMs),
    count: Math.max(count, Number(item.count)),
    toldMs,
    isChanged: false,
    isTouched: false,
  };
}
