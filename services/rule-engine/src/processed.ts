// Which ranges of events have been evaluated: kept on disk, so that what comes again after a crash is known.
import { type Range, RangeSet } from "@nightjar/events";
import { LatestValue } from "./latest-value.ts";

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

  /** Resolves when the range is on disk. Ranges that come while another write goes on are written together. */
  async commit(range: Range): Promise<void> {
    this.#ranges.add(range);
    await this.#value.write(() => JSON.stringify(this.#ranges.toRecord()));
  }

  /** The ranges, for the status: one is the rule, each gap adds one. */
  get ranges(): RangeSet {
    return this.#ranges;
  }

  async close(): Promise<void> {
    await this.#value.close();
  }
}
