// A large set of paths, each with a number, in at most 35 bytes a path: of a path only a keyed digest is kept.
import { hash, randomBytes } from "node:crypto";

/** Slots are at most so full: beyond, looking for what is not there takes long. */
const LOAD_MAX = 0.7;
const SLOTS_MIN = 1_024;
/** What an empty slot holds; no digest is 0. */
const EMPTY = 0;

// Nobody outside can make a path that has another one's digest, since nobody knows the key; 52 bits make that happen
// by itself once in 4e9 questions among a million paths.
const key = randomBytes(16).toString("latin1");

export class PathIndex {
  #digests = new Float64Array(SLOTS_MIN);
  #values = new Uint32Array(SLOTS_MIN);
  size = 0;

  /** Adds a path, unless it is there. */
  add(path: string, value: number): void {
    if (this.size >= this.#digests.length * LOAD_MAX) this.#grow();
    const digest = digestOf(path);
    const slot = this.#find(digest);
    if (this.#digests[slot] === digest) return;
    this.#digests[slot] = digest;
    this.#values[slot] = value;
    this.size++;
  }

  get(path: string): number | undefined {
    const digest = digestOf(path);
    const slot = this.#find(digest);
    return this.#digests[slot] === digest ? this.#values[slot] : undefined;
  }

  get bytes(): number {
    return this.#digests.byteLength + this.#values.byteLength;
  }

  /** The slot of a digest, or the empty one where it belongs. */
  #find(digest: number): number {
    const mask = this.#digests.length - 1;
    let slot = digest % this.#digests.length;
    while (this.#digests[slot] !== EMPTY && this.#digests[slot] !== digest) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [digests, values] = [this.#digests, this.#values];
    this.#digests = new Float64Array(2 * digests.length);
    this.#values = new Uint32Array(2 * digests.length);
    for (let from = 0; from < digests.length; from++) {
      const digest = digests[from] as number;
      if (digest === EMPTY) continue;
      const slot = this.#find(digest);
      this.#digests[slot] = digest;
      this.#values[slot] = values[from] as number;
    }
  }
}

function digestOf(path: string): number {
  const digest = hash("sha1", key + path, "buffer");
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] as number) & 0xf) || 1;
}
