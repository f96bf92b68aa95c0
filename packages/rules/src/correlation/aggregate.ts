// What each type of correlation works out of the matches in a window, kept up as they come and go.
import type { Correlation, CorrelationType } from "./correlation.ts";
import type { Entry } from "./window.ts";

/** Kept up to date while entries come in the order of time and leave in the same order. */
export interface Aggregate {
  add(entry: Entry): void;
  remove(entry: Entry): void;
  /** The number that the condition's bounds are about; undefined where there is none. */
  value(): number | undefined;
  /** Of temporal types, whether a reference has a match in the window. */
  matched?(index: number): boolean;
}

class Count implements Aggregate {
  #count = 0;

  add(): void {
    this.#count++;
  }

  remove(): void {
    this.#count--;
  }

  value(): number {
    return this.#count;
  }
}

class Distinct implements Aggregate {
  readonly #counts = new Map<string, number>();

  add({ value }: Entry): void {
    const text = String(value);
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
  }

  remove({ value }: Entry): void {
    const text = String(value);
    const left = (this.#counts.get(text) ?? 0) - 1;
    if (left > 0) this.#counts.set(text, left);
    else this.#counts.delete(text);
  }

  value(): number {
    return this.#counts.size;
  }
}

/** Whole numbers are exact; of others the sum begins anew whenever the window is empty, so errors do not add up. */
class Sum implements Aggregate {
  #sum = 0;
  #count = 0;
  readonly #mean: boolean;

  constructor(mean: boolean) {
    this.#mean = mean;
  }

  add({ value }: Entry): void {
    this.#sum += Number(value);
    this.#count++;
  }

  remove({ value }: Entry): void {
    this.#count--;
    this.#sum = this.#count === 0 ? 0 : this.#sum - Number(value);
  }

  value(): number | undefined {
    if (!this.#mean) return this.#sum;
    return this.#count === 0 ? undefined : this.#sum / this.#count;
  }
}

/** The value below which so many percent lie, between two of them by their distance: 50 is the median. */
class Percentile implements Aggregate {
  readonly #sorted: number[] = [];
  readonly #percent: number;

  constructor(percent: number) {
    this.#percent = percent;
  }

  add({ value }: Entry): void {
    this.#sorted.splice(this.#indexOf(Number(value)), 0, Number(value));
  }

  remove({ value }: Entry): void {
    this.#sorted.splice(this.#indexOf(Number(value)), 1);
  }

  value(): number | undefined {
    const rank = (this.#percent / 100) * (this.#sorted.length - 1);
    const low = this.#sorted[Math.floor(rank)];
    const high = this.#sorted[Math.ceil(rank)];
    return low === undefined || high === undefined ? undefined : low + (high - low) * (rank - Math.floor(rank));
  }

  /** The first that is not less. */
  #indexOf(value: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How many of the references have matched. */
class Kinds implements Aggregate {
  readonly #counts: number[];
  #kinds = 0;

  constructor(references: number) {
    this.#counts = new Array<number>(references).fill(0);
  }

  add({ reference }: Entry): void {
    if ((this.#counts[reference] as number)++ === 0) this.#kinds++;
  }

  remove({ reference }: Entry): void {
    if (--(this.#counts[reference] as number) === 0) this.#kinds--;
  }

  value(): number {
    return this.#kinds;
  }

  matched(index: number): boolean {
    return (this.#counts[index] ?? 0) > 0;
  }
}

const BY_TYPE: Readonly<Record<CorrelationType, (correlation: Correlation) => Aggregate>> = {
  event_count: () => new Count(),
  value_count: () => new Distinct(),
  temporal: ({ references }) => new Kinds(references.length),
  temporal_ordered: ({ references }) => new Kinds(references.length),
  value_sum: () => new Sum(false),
  value_avg: () => new Sum(true),
  value_percentile: ({ percentile }) => new Percentile(percentile),
  value_median: () => new Percentile(50),
};

/** The aggregate of an empty window. */
export function aggregateOf(correlation: Correlation): Aggregate {
  return BY_TYPE[correlation.type](correlation);
}
