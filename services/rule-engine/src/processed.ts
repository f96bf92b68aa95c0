// Which ranges of events have been evaluated: kept on disk, so that what comes again after a crash is known.
import { type Range, RangeSet } from "@nightjar/events";
import { Level } from "level";

const KEY = "processed";

/** What a crash in the middle of a write leaves is the record before it: level writes to a log first. */
export class ProcessedRanges {
  readonly #database: Level<string, string>;
  readonly #ranges: RangeSet;
  #waiting: (() => void)[] = [];
  #writing: Promise<void> | undefined;

  private constructor(database: Level<string, string>, ranges: RangeSet) {
    this.#database = database;
    this.#ranges = ranges;
  }

  static async open(folder: string): Promise<ProcessedRanges> {
    const database = new Level<string, string>(folder);
    await database.open();
    const text = await database.get(KEY);
    const ranges = text === undefined ? new RangeSet() : RangeSet.fromRecord(JSON.parse(text));
    if (!ranges) throw new Error(`${folder} holds no set of ranges`);
    return new ProcessedRanges(database, ranges);
  }

  has(range: Range): boolean {
    return this.#ranges.has(range);
  }

  /** Resolves when the range is on disk. Ranges that come while another write goes on are written together. */
  async commit(range: Range): Promise<void> {
    this.#ranges.add(range);
    const written = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#writing ??= this.#write();
    // A failed write rejects here, so that nothing is acknowledged on its strength.
    await Promise.race([written, this.#writing.then(() => written)]);
  }

  /** The ranges, for the status: one is the rule, each gap adds one. */
  get ranges(): RangeSet {
    return this.#ranges;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#database.close();
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const waiting = this.#waiting;
        this.#waiting = [];
        await this.#database.put(KEY, JSON.stringify(this.#ranges.toRecord()));
        for (const resolve of waiting) resolve();
      }
    } finally {
      this.#writing = undefined;
    }
  }
}
