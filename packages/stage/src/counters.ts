// A stage's counters, by name.
import type { CounterName } from "./metrics.ts";

/** Counts since the process started. `set` is for values that another part counts. */
export class Counters {
  readonly #values = new Map<CounterName, number>();

  add(name: CounterName, amount = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + amount);
  }

  set(name: CounterName, value: number): void {
    this.#values.set(name, value);
  }

  get(name: CounterName): number {
    return this.#values.get(name) ?? 0;
  }

  toRecord(): Record<string, bigint> {
    return Object.fromEntries([...this.#values].map(([name, value]) => [name, BigInt(Math.trunc(value))]));
  }
}
