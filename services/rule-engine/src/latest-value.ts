// One value of the stage's own that must survive kill -9, and what changes with it: on disk before anyone builds on it.
import { type BatchOperation, Level } from "level";

/** A change beside the value: bytes under a key, or none any more. */
export type Change = { key: string; value: Uint8Array | undefined };

/** What a crash in the middle of a write leaves is the text before it: level writes to a log first. */
export class LatestValue {
  readonly #database: Level<string, string>;
  readonly #key: string;
  #waiting: (() => void)[] = [];
  #writing: Promise<void> | undefined;
  #changes: Change[] = [];

  private constructor(database: Level<string, string>, key: string) {
    this.#database = database;
    this.#key = key;
  }

  /** Opens the folder; `text` is what was written last, undefined before anything was. */
  static async open(folder: string, key: string): Promise<{ value: LatestValue; text: string | undefined }> {
    const database = new Level<string, string>(folder);
    await database.open();
    return { value: new LatestValue(database, key), text: await database.get(key) };
  }

  /**
   * Resolves when what `text` gives is on disk, with all `changes` so far: they are there together or not at all. It is
   * asked when the write begins: what comes while another write goes on is written at once.
   */
  async write(text: () => string, changes: readonly Change[] = []): Promise<void> {
    this.#changes.push(...changes);
    const written = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#writing ??= this.#write(text);
    // A failed write rejects here, so that nothing is acknowledged on its strength.
    await Promise.race([written, this.#writing.then(() => written)]);
  }

  /** All that is on disk under keys that begin so. */
  async entries(prefix: string): Promise<[key: string, value: Uint8Array][]> {
    return await this.#database.iterator<string, Uint8Array>({ gte: prefix, lt: `${prefix}${END}`, ...BYTES }).all();
  }

  /** What is on disk under a key. */
  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#database.get<string, Uint8Array>(key, BYTES);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#database.close();
  }

  async #write(text: () => string): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const waiting = this.#waiting;
        this.#waiting = [];
        const changes = this.#changes.splice(0);
        await this.#database.batch([{ type: "put", key: this.#key, value: text() }, ...changes.map(operation)]);
        for (const resolve of waiting) resolve();
      }
    } finally {
      this.#writing = undefined;
    }
  }
}

/** Sorts behind every key of a prefix. */
const END = "\uffff";
const BYTES = { valueEncoding: "view" };

type Operation = BatchOperation<Level<string, string>, string, string>;

function operation({ key, value }: Change): Operation {
  if (value === undefined) return { type: "del", key };
  // The encoding stands beside the value, which the types of a batch do not know.
  return { type: "put", key, value, ...BYTES } as unknown as Operation;
}
