// The filter: never denies what it was made of, and seldom claims what it was not.
import test from "ava";
import fc from "fast-check";
import { buildFilter, loadFilter } from "./filter.ts";

const KEYS = 100_000;
/** Eight bits miss one in 256; a fifth beyond would be a fault of the hashing. */
const FALSE_POSITIVES_MAX = 1.2 / 256;
const BYTES_A_KEY_MAX = 1.25;

/** Numbers spread as digests are (SplitMix64). */
function* spread(count: number, seed: bigint): Generator<bigint> {
  const mask = (1n << 64n) - 1n;
  let state = seed;
  for (let at = 0; at < count; at++) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let key = state;
    key = ((key ^ (key >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    key = ((key ^ (key >> 27n)) * 0x94d049bb133111ebn) & mask;
    yield key ^ (key >> 31n);
  }
}

function filterOf(hashes: Iterable<bigint>, generation = 0n) {
  const loaded = loadFilter(buildFilter(hashes, generation));
  if ("problem" in loaded) throw new Error(loaded.problem);
  return loaded.filter;
}

test("of 100,000 it has all, and of as many others about one in 256", (t) => {
  const keys = [...spread(KEYS, 1n)];
  const bytes = buildFilter(keys, 7n);
  const loaded = loadFilter(bytes);
  if ("problem" in loaded) return t.fail(loaded.problem);
  const { filter } = loaded;
  t.deepEqual([filter.generation, filter.count], [7n, KEYS]);
  t.true(keys.every((key) => filter.has(key)));
  const wrong = [...spread(KEYS, 2n ** 60n)].filter((key) => filter.has(key)).length;
  t.true(wrong / KEYS < FALSE_POSITIVES_MAX, `${wrong} of ${KEYS}`);
  t.true(bytes.length / KEYS < BYTES_A_KEY_MAX, `${bytes.length} bytes`);
});

test("whatever the keys, also few, the same twice, or next to each other, it has them", (t) => {
  const keys = fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 300n })));
  t.notThrows(() =>
    fc.assert(
      fc.property(keys, (given) => {
        const filter = filterOf([...given, ...given.slice(0, 3)]);
        return given.every((key) => filter.has(key)) && filter.count === new Set(given).size;
      }),
    ),
  );
});

test("without keys it has nothing", (t) => {
  const filter = filterOf([]);
  t.false([...spread(1_000, 3n)].some((key) => filter.has(key)));
});

test("the same keys give the same bytes, in whatever order", (t) => {
  const keys = [...spread(1_000, 4n)];
  t.deepEqual(buildFilter(keys, 1n), buildFilter(keys.toReversed(), 1n));
});

test("bytes that are no filter, or not all of one, are a problem", (t) => {
  const bytes = buildFilter(spread(100, 5n), 1n);
  t.true("problem" in loadFilter(new Uint8Array(10)));
  t.true("problem" in loadFilter(new Uint8Array(1_000)));
  t.true("problem" in loadFilter(bytes.subarray(0, bytes.length - 1)));
  const other = bytes.slice();
  other[7] = 2;
  t.deepEqual(loadFilter(other), { problem: "it is a filter of version 2" });
  t.notThrows(() => fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (any) => "problem" in loadFilter(any))));
});
