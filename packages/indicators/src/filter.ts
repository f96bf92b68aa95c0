// A compact filter of indicators: says surely of most that no list has them, in nine bits for each that one has.

/** A binary fuse filter with three places a key and fingerprints of eight bits (Graf and Lemire, 2022). */
export interface Filter {
  /** The portal's change counter when it was made: what changed since is not in it. */
  generation: bigint;
  /** How many indicators it was made of. */
  count: number;
  /** False: not among them. True: perhaps; of those that are not, one in 256 is told so. */
  has(hash: bigint): boolean;
}

// Of the paper, section 4: how long a segment is, and how much larger the array than the keys.
const SEGMENT_LENGTH_BASE = 3.33;
const SEGMENT_LENGTH_SUMMAND = 2.25;
const SEGMENT_LENGTH_MAX = 2 ** 18;
const SIZE_FACTOR_MIN = 1.125;
const SIZE_FACTOR_SUMMAND = 0.875;
const SIZE_FACTOR_SLOPE = 0.25;
const SIZE_FACTOR_KEYS = 1_000_000;
const PLACES = 3;
/** A try fails with one in some ten; so many in a row never. */
const TRIES_MAX = 100;

const MAGIC = 0x4e4a4946;
const VERSION = 1;
/** Magic, version, generation (64 bits), count, seed, segment length, segments: big-endian, 32 bits each. */
const HEADER_BYTES = 32;
/** A file is refused that claims more; the portal has fewer. */
const FINGERPRINTS_MAX = 64 * 1024 * 1024;

const TWO_32 = 2 ** 32;
const LOW_32 = 0xffff_ffffn;
const WORD_BITS = 32n;

/** Where keys lie for a seed. */
interface Layout {
  seed: number;
  segmentLength: number;
  segments: number;
}

/** Makes the file of a filter. Hashes may come twice. */
export function buildFilter(hashes: Iterable<bigint>, generation: bigint): Uint8Array {
  const keys = distinct(BigUint64Array.from(hashes).sort());
  const layout = layoutOf(keys.length);
  const length = (layout.segments + PLACES - 1) * layout.segmentLength;
  for (let seed = 1; seed <= TRIES_MAX; seed++) {
    const fingerprints = tryBuild(keys, { ...layout, seed }, length);
    if (fingerprints) return encode({ ...layout, seed }, keys.length, generation, fingerprints);
  }
  throw new Error(`no seed of ${TRIES_MAX} makes a filter of ${keys.length} keys`);
}

/** Reads what buildFilter made; `bytes` must not change afterwards. */
export function loadFilter(bytes: Uint8Array): { filter: Filter } | { problem: string } {
  if (bytes.length < HEADER_BYTES) return { problem: "it is too short for a filter" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) return { problem: "it is no filter" };
  if (view.getUint32(4) !== VERSION) return { problem: `it is a filter of version ${view.getUint32(4)}` };
  const generation = view.getBigUint64(8);
  const [count, seed] = [view.getUint32(16), view.getUint32(20)];
  const [segmentLength, segments] = [view.getUint32(24), view.getUint32(28)];
  const isPower = segmentLength > 0 && (segmentLength & (segmentLength - 1)) === 0;
  const length = (segments + PLACES - 1) * segmentLength;
  if (!isPower || segments === 0 || length > FINGERPRINTS_MAX || bytes.length !== HEADER_BYTES + length) {
    return { problem: "its length is not that which it tells" };
  }
  const fingerprints = bytes.subarray(HEADER_BYTES);
  const places = new Places({ seed, segmentLength, segments });
  const has = (hash: bigint): boolean => {
    if (count === 0) return false;
    places.find(hash);
    const { a, b, c, fingerprint } = places;
    return (fingerprints[a]! ^ fingerprints[b]! ^ fingerprints[c]!) === fingerprint;
  };
  return { filter: { generation, count, has } };
}

function distinct(sorted: BigUint64Array): BigUint64Array {
  return sorted.filter((key, at) => at === 0 || key !== sorted[at - 1]);
}

function layoutOf(count: number): Omit<Layout, "seed"> {
  const size = Math.max(count, 2);
  const exponent = Math.floor(Math.log(size) / Math.log(SEGMENT_LENGTH_BASE) + SEGMENT_LENGTH_SUMMAND);
  const segmentLength = Math.min(2 ** exponent, SEGMENT_LENGTH_MAX);
  const slope = (SIZE_FACTOR_SLOPE * Math.log(SIZE_FACTOR_KEYS)) / Math.log(size);
  const capacity = Math.round(size * Math.max(SIZE_FACTOR_MIN, SIZE_FACTOR_SUMMAND + slope));
  return { segmentLength, segments: Math.max(1, Math.ceil(capacity / segmentLength) - (PLACES - 1)) };
}

/** MurmurHash3's finalizer: each bit of the word changes each of the result. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The three places of a key and its fingerprint. Its fields are overwritten by each look: no object a key. */
class Places {
  readonly #layout: Layout;
  readonly #mask: number;
  readonly #starts: number;
  readonly #seedMixed: number;
  a = 0;
  b = 0;
  c = 0;
  fingerprint = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#mask = layout.segmentLength - 1;
    this.#starts = layout.segments * layout.segmentLength;
    this.#seedMixed = mix(layout.seed);
  }

  find(key: bigint): void {
    const high = mix(Number(key >> WORD_BITS) ^ this.#seedMixed);
    const low = mix(Number(key & LOW_32) ^ high);
    const third = mix(low ^ this.#layout.seed);
    const { segmentLength } = this.#layout;
    this.a = Math.floor((high * this.#starts) / TWO_32);
    // A segment's bits are 18 at most: the upper eight of both words are free for the fingerprint.
    this.b = (this.a + segmentLength) ^ (low & this.#mask);
    this.c = (this.a + 2 * segmentLength) ^ (third & this.#mask);
    this.fingerprint = (low >>> 24) ^ (third >>> 24);
  }
}

/** Peels keys that are alone at a place, then fills the places backwards; undefined when some are never alone. */
function tryBuild(keys: BigUint64Array, layout: Layout, length: number): Uint8Array | undefined {
  const places = new Places(layout);
  const counts = new Uint32Array(length);
  /** The indexes of all keys at a place, combined by XOR: where one is left, it is that one's. */
  const indexes = new Uint32Array(length);
  for (const [index, key] of keys.entries()) {
    places.find(key);
    for (const at of [places.a, places.b, places.c]) {
      counts[at]!++;
      indexes[at]! ^= index;
    }
  }
  const alone = new Uint32Array(length);
  let waiting = 0;
  for (let at = 0; at < length; at++) if (counts[at] === 1) alone[waiting++] = at;
  const order = new Uint32Array(keys.length);
  const homes = new Uint32Array(keys.length);
  let peeled = 0;
  while (waiting > 0) {
    const home = alone[--waiting]!;
    if (counts[home] !== 1) continue;
    const index = indexes[home]!;
    order[peeled] = index;
    homes[peeled++] = home;
    places.find(keys[index]!);
    for (const at of [places.a, places.b, places.c]) {
      indexes[at]! ^= index;
      if (--counts[at]! === 1) alone[waiting++] = at;
    }
  }
  return peeled === keys.length ? fill(keys, places, { order, homes, length }) : undefined;
}

function fill(
  keys: BigUint64Array,
  places: Places,
  { order, homes, length }: { order: Uint32Array; homes: Uint32Array; length: number },
): Uint8Array {
  const fingerprints = new Uint8Array(length);
  for (let at = keys.length - 1; at >= 0; at--) {
    places.find(keys[order[at]!]!);
    const { a, b, c, fingerprint } = places;
    // The home is still empty, so it adds nothing to what the other two have.
    fingerprints[homes[at]!] = fingerprint ^ fingerprints[a]! ^ fingerprints[b]! ^ fingerprints[c]!;
  }
  return fingerprints;
}

function encode(layout: Layout, count: number, generation: bigint, fingerprints: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + fingerprints.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  view.setBigUint64(8, generation);
  view.setUint32(16, count);
  view.setUint32(20, layout.seed);
  view.setUint32(24, layout.segmentLength);
  view.setUint32(28, layout.segments);
  bytes.set(fingerprints, HEADER_BYTES);
  return bytes;
}
