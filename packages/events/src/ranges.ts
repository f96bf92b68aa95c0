// Sets of position ranges: what a stage has processed, so that what comes a second time is known.

/** Positions [first, next) of one source; `source` is BatchReader's sourceId (boot id and epoch). */
export interface Range {
  source: string;
  first: number;
  next: number;
}

/** Sources a set remembers. A ring buffer that begins anew is a new source, so old ones never come back. */
export const SOURCES_MAX = 16;
/** Ranges a set remembers of one source. Batches touch each other, so that one is the rule and each gap adds one. */
export const RANGES_PER_SOURCE_MAX = 1024;

/** The plain form of a set: for each source, the one used longest ago first, "first-next,first-next". */
export type RangeSetRecord = { ranges: [source: string, ranges: string][] };

/**
 * Half-open ranges of positions, source by source. Ranges that overlap or touch become one.
 *
 * Its memory is bounded. At RANGES_PER_SOURCE_MAX the lowest range of the source is forgotten, at SOURCES_MAX the
 * source that was added to longest ago; `forgotten` counts the ranges. Forgetting is the safe side: what was forgotten
 * would be processed again when it is delivered again, never passed over.
 */
export class RangeSet {
  /** Ranges given up because of the limits. */
  forgotten = 0;
  /** Bounds in ascending order: first, next, first, next …; the map's order is the order of use. */
  readonly #sources = new Map<string, number[]>();

  /** Adds a range; an empty one changes nothing. */
  add({ source, first, next }: Range): void {
    assertRange(first, next);
    if (first === next) return;
    const bounds = this.#touch(source);
    if (first === bounds.at(-1)) bounds[bounds.length - 1] = next;
    else insert(bounds, first, next);
    while (bounds.length > 2 * RANGES_PER_SOURCE_MAX) {
      bounds.splice(0, 2);
      this.forgotten++;
    }
  }

  /** Whether every position of the range is in the set; an empty range always is. */
  has({ source, first, next }: Range): boolean {
    assertRange(first, next);
    if (first === next) return true;
    const bounds = this.#sources.get(source);
    if (bounds === undefined) return false;
    const index = lastAtMost(bounds, first);
    return index >= 0 && index % 2 === 0 && next <= (bounds[index + 1] as number);
  }

  /** Whether any position of the range is in the set. */
  touches({ source, first, next }: Range): boolean {
    assertRange(first, next);
    const bounds = this.#sources.get(source);
    if (bounds === undefined || first === next) return false;
    const index = lastAtMost(bounds, first);
    if (index >= 0 && index % 2 === 0) return true;
    const following = bounds[index + 1];
    return following !== undefined && following < next;
  }

  /** Whether one position is in the set. */
  includes(source: string, position: number): boolean {
    const bounds = this.#sources.get(source);
    if (bounds === undefined) return false;
    const index = lastAtMost(bounds, position);
    return index >= 0 && index % 2 === 0;
  }

  /** Adds all that another set has. */
  merge(other: RangeSet): void {
    for (const range of other) this.add(range);
  }

  /** How many separate ranges there are: 1 for each source that has no gap. */
  get count(): number {
    let count = 0;
    for (const bounds of this.#sources.values()) count += bounds.length / 2;
    return count;
  }

  /** The ranges, source by source, ascending. */
  *[Symbol.iterator](): Generator<Range> {
    for (const [source, bounds] of this.#sources) {
      for (let index = 0; index < bounds.length; index += 2) {
        yield { source, first: bounds[index] as number, next: bounds[index + 1] as number };
      }
    }
  }

  /** The plain form, for JSON. */
  toRecord(): RangeSetRecord {
    const text = (bounds: number[]) =>
      bounds
        .map((bound, index) => (index % 2 === 0 ? `${bound}-` : `${bound},`))
        .join("")
        .slice(0, -1);
    return { ranges: [...this.#sources].map(([source, bounds]) => [source, text(bounds)]) };
  }

  /** Reads the plain form; undefined when it is none. */
  static fromRecord(record: unknown): RangeSet | undefined {
    const set = new RangeSet();
    const sources = (record as Partial<RangeSetRecord> | null)?.ranges;
    if (!Array.isArray(sources)) return undefined;
    for (const entry of sources) {
      if (!Array.isArray(entry) || typeof entry[0] !== "string" || typeof entry[1] !== "string") return undefined;
      for (const text of entry[1].split(",")) {
        const match = RANGE_TEXT.exec(text);
        if (!match) return undefined;
        const range = { source: entry[0], first: Number(match[1]), next: Number(match[2]) };
        if (!isRange(range.first, range.next)) return undefined;
        set.add(range);
      }
    }
    return set;
  }

  /** The bounds of a source, made the one that was used last. */
  #touch(source: string): number[] {
    const bounds = this.#sources.get(source) ?? [];
    this.#sources.delete(source);
    this.#sources.set(source, bounds);
    for (const [oldest, its] of this.#sources) {
      if (this.#sources.size <= SOURCES_MAX) break;
      this.#sources.delete(oldest);
      this.forgotten += its.length / 2;
    }
    return bounds;
  }
}

const RANGE_TEXT = /^(\d{1,16})-(\d{1,16})$/;

/** Puts [first, next) into ascending bounds and joins it with those it overlaps or touches. */
function insert(bounds: number[], first: number, next: number): void {
  // An odd index is the end of a range: a range that ends exactly at `first` touches it and is joined.
  const before = lastAtMost(bounds, first);
  const from = before < 0 ? 0 : before % 2 === 0 ? before : bounds[before] === first ? before - 1 : before + 1;
  const after = lastAtMost(bounds, next);
  const to = after < 0 ? 0 : after % 2 === 0 ? after + 2 : after + 1;
  const joined = bounds.slice(from, to);
  const low = joined.length > 0 ? Math.min(first, joined[0] as number) : first;
  const high = joined.length > 0 ? Math.max(next, joined.at(-1) as number) : next;
  bounds.splice(from, joined.length, low, high);
}

/** The index of the last bound that is at most `value`, -1 if there is none. */
function lastAtMost(bounds: number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bounds[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function isRange(first: number, next: number): boolean {
  return Number.isSafeInteger(first) && Number.isSafeInteger(next) && first >= 0 && first <= next;
}

function assertRange(first: number, next: number): void {
  if (!isRange(first, next)) throw new RangeError(`not a range of positions: ${first} to ${next}`);
}
