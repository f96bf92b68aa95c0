// Writes a tar.gz of texts, readable to its owner alone, whole or not at all.
import { createWriteStream, renameSync, rmSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";

const PRIVATE_FILE_MODE = 0o600;

export class Archive {
  readonly #file: string;
  readonly #part: string;
  readonly #pack = pack();
  readonly #written: Promise<void>;
  #failure: unknown;

  /** `file` is not there before `close` resolves. */
  constructor(file: string) {
    this.#file = file;
    this.#part = `${file}.part`;
    const target = createWriteStream(this.#part, { mode: PRIVATE_FILE_MODE });
    this.#written = pipeline(this.#pack, createGzip(), target);
    // Told to whoever adds or closes next.
    this.#written.catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Rejects where the archive cannot be written. */
  async add(name: string, text: string): Promise<void> {
    if (this.#failure) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const bytes = Buffer.from(text);
    this.#pack.entry({ name, mode: PRIVATE_FILE_MODE, mtime: new Date() }, bytes, (error) =>
      error ? reject(error) : resolve(),
    );
    await Promise.race([promise, this.#written]);
  }

  async close(): Promise<void> {
    this.#pack.finalize();
    await this.#written;
    renameSync(this.#part, this.#file);
  }

  /** What was written is removed. */
  async giveUp(): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => {});
    rmSync(this.#part, { force: true });
  }
}
