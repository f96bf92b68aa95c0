// A stage's counters, by name.

/** Counts since the process started. `set` is for values that another part counts. */
export class Counters {
  readonly #values = new Map<string, number>();

  add(name: string, amount = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + amount);
  }

  set(name: string, value: number): void {
    this.#values.set(name, value);
  }

  get(name: string): number {
    return this.#values.get(name) ?? 0;
  }

  toRecord(): Record<string, bigint> {
    return Object.fromEntries([...this.#values].map(([name, value]) => [name, BigInt(Math.trunc(value))]));
  }
}
