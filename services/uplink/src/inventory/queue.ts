// Parts of the inventory that wait for the portal: a file each, in their order.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** As many as wait; beyond, all of them go, and the portal gets a snapshot when it is there again. */
export const WAITING_BYTES_MAX = 32 * 1024 * 1024;
const NAME = /^\d{16}$/;
const DIGITS = 16;

export class InventoryQueue {
  readonly #folder: string;
  #names: string[];
  #bytes: number;
  #next: number;
  #added = Promise.withResolvers<void>();

  /** Opens the folder, and takes what an earlier process left there. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#names = readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort();
    this.#bytes = this.#names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    this.#next = Number(this.#names.at(-1) ?? 0) + 1;
  }

  get length(): number {
    return this.#names.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a part behind the others; false where there is no room, and what waited is deleted. Throws on a full disk. */
  add(bytes: Uint8Array): boolean {
    if (this.#bytes + bytes.length > WAITING_BYTES_MAX) {
      this.clear();
      return false;
    }
    const name = String(this.#next).padStart(DIGITS, "0");
    const path = join(this.#folder, name);
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
    this.#next++;
    this.#names.push(name);
    this.#bytes += bytes.length;
    this.#added.resolve();
    this.#added = Promise.withResolvers();
    return true;
  }

  /** The oldest part. */
  first(): Uint8Array | undefined {
    const [name] = this.#names;
    return name === undefined ? undefined : readFileSync(join(this.#folder, name));
  }

  /** Deletes the oldest part. */
  removeFirst(): void {
    const name = this.#names.shift();
    if (name === undefined) return;
    const path = join(this.#folder, name);
    this.#bytes -= statSync(path).size;
    rmSync(path, { force: true });
  }

  clear(): void {
    for (const name of this.#names) rmSync(join(this.#folder, name), { force: true });
    this.#names = [];
    this.#bytes = 0;
  }

  /** Resolves when there is something. */
  async waitForParts(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (this.length === 0 && !signal.aborted) await Promise.race([this.#added.promise, aborted]);
  }
}
