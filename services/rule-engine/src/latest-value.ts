// One value of the stage's own that must survive kill -9: its latest text, on disk before anyone builds on it.
import { Level } from "level";

/** What a crash in the middle of a write leaves is the text before it: level writes to a log first. */
export class LatestValue {
  readonly #database: Level<string, string>;
  readonly #key: string;
  #waiting: (() => void)[] = [];
  #writing: Promise<void> | undefined;

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
   * Resolves when what `text` gives is on disk. It is asked when the write begins: what comes while another write goes
   * on is written at once.
   */
  async write(text: () => string): Promise<void> {
    const written = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#writing ??= this.#write(text);
    // A failed write rejects here, so that nothing is acknowledged on its strength.
    await Promise.race([written, this.#writing.then(() => written)]);
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
        await this.#database.put(this.#key, text());
        for (const resolve of waiting) resolve();
      }
    } finally {
      this.#writing = undefined;
    }
  }
}
