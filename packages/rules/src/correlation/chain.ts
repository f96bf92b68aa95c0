// The longest-lived ordered chain in a window: for each place in the order, the one that began last.
import type { Entry } from "./window.ts";

/** A match, and the one of the reference before that it follows. */
export interface Link {
  entry: Entry;
  before: Link | undefined;
  /** When the chain's first match was. */
  startUs: number;
}

/**
 * Fed in the order of time. The chain that began last is the only one that matters: whatever would end with another of
 * the same length in time ends with it too. One event is one link: a rule that matches the same event as the one before
 * it does not follow it.
 */
export class Chain {
  readonly #latest: (Link | undefined)[];
  /** What `#latest` was before the event it was changed by. */
  readonly #earlier: (Link | undefined)[];

  constructor(references: number) {
    this.#latest = new Array<Link | undefined>(references).fill(undefined);
    this.#earlier = new Array<Link | undefined>(references).fill(undefined);
  }

  /** The chain from the first reference to the last that ends with this entry; undefined where there is none. */
  add(entry: Entry): Link | undefined {
    const { reference } = entry;
    const before = reference === 0 ? undefined : this.#before(entry, reference - 1);
    if (reference > 0 && before === undefined) return undefined;
    const link: Link = { entry, before, startUs: before?.startUs ?? entry.match.timeUs };
    const latest = this.#latest[reference];
    if (latest && !sameEvent(latest.entry, entry)) this.#earlier[reference] = latest;
    this.#latest[reference] = link;
    return reference === this.#latest.length - 1 ? link : undefined;
  }

  #before(entry: Entry, reference: number): Link | undefined {
    const latest = this.#latest[reference];
    return latest && sameEvent(latest.entry, entry) ? this.#earlier[reference] : latest;
  }
}

/** The entries of a chain, the first one first. */
export function entriesOf(link: Link): Entry[] {
  const entries: Entry[] = [];
  for (let at: Link | undefined = link; at; at = at.before) entries.unshift(at.entry);
  return entries;
}

function sameEvent(left: Entry, right: Entry): boolean {
  return left.match.position === right.match.position && left.match.source === right.match.source;
}
