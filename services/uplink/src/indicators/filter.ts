// The filter of all indicators, as long as what changed since it was made is known singly.
import type { Filter } from "@nightjar/indicators";

/** Changes since the filter was made; with more it is given up until there is a newer one. */
const CHANGES_MAX = 50_000;

export class CurrentFilter {
  #filter: Filter | undefined;
  readonly #changed = new Set<bigint>();
  /** Changes up to some time after the filter was made are in `#changed`. */
  #isCurrent = false;

  /** Takes another filter, or none. Until the changes since are told it settles nothing. */
  use(filter: Filter | undefined): void {
    this.#filter = filter;
    this.#changed.clear();
    this.#isCurrent = false;
  }

  /** From where changes have to be asked for; undefined where there is no filter that needs them. */
  get needsChangesAfter(): bigint | undefined {
    return this.#isCurrent ? undefined : this.#filter?.generation;
  }

  /** Which changed, all since the filter was made or since the last time; undefined where that is not known. */
  changed(hashes: readonly bigint[] | undefined): void {
    if (!this.#filter) return;
    for (const hash of hashes ?? []) this.#changed.add(hash);
    this.#isCurrent = hashes !== undefined && this.#changed.size <= CHANGES_MAX;
    if (!this.#isCurrent) this.use(undefined);
  }

  /** How many indicators it settles by; 0 where it settles none. */
  get count(): number {
    return this.#isCurrent ? (this.#filter?.count ?? 0) : 0;
  }

  /** Whether no list has it, for sure. */
  isUnknown(hash: bigint): boolean {
    return this.#isCurrent && this.#filter?.has(hash) === false && !this.#changed.has(hash);
  }
}
