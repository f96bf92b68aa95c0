// Which ranges of events have been evaluated, with the state that this changed: kept on disk, so that what comes again
// after a crash is known.
import { type Range, RangeSet } from "@nightjar/events";
import { type Change, LatestValue } from "./latest-value.ts";

const KEY = "processed";

export class ProcessedRanges {
  readonly #value: LatestValue;
  readonly #ranges: RangeSet;

  private constructor(value: LatestValue, ranges: RangeSet) {
    this.#value = value;
    this.#ranges = ranges;
  }

  static async open(folder: string): Promise<ProcessedRanges> {
    const { value, text } = await LatestValue.open(folder, KEY);
    const ranges = text === undefined ? new RangeSet() : RangeSet.fromRecord(JSON.parse(text));
    if (!ranges) throw new Error(`${folder} holds no set of ranges`);
    return new ProcessedRanges(value, ranges);
  }

  has(range: Range): boolean {
    return this.#ranges.has(range);
  }

  /**
   * Resolves when the range is on disk together with the changes that came of it; without a range, the changes alone.
   * What comes while another write goes on is written together.
   */
  async commit(range: Range | undefined, changes: readonly Change[] = []): Promise<void> {
    if (range) this.#ranges.add(range);
    await this.#value.write(() => JSON.stringify(this.#ranges.toRecord()), changes);
  }

  /** The state that was committed with ranges, under keys that begin so. */
  entries(prefix: string): Promise<[key: string, value: Uint8Array][]> {
    return this.#value.entries(prefix);
  }

  /** What was committed under a key. */
  get(key: string): Promise<Uint8Array | undefined> {
    return this.#value.get(key);
  }

  /** The ranges, for the status: one is the rule, each gap adds one. */
  get ranges(): RangeSet {
    return this.#ranges;
  }

  async close(): Promise<void> {
    await this.#value.close();
  }
}
