// Ranges against a plain set of positions that holds each one.
import test from "ava";
import fc from "fast-check";
import { RANGES_PER_SOURCE_MAX, type Range, RangeSet, SOURCES_MAX } from "./ranges.ts";

const POSITIONS = 40;

const range = fc
  .tuple(fc.constantFrom("a:1", "b:2"), fc.nat(POSITIONS), fc.nat(8))
  .map(([source, first, length]): Range => ({ source, first, next: first + length }));

function positionsOf({ source, first, next }: Range): string[] {
  return Array.from({ length: next - first }, (_, index) => `${source}@${first + index}`);
}

function setOf(ranges: Iterable<Range>): RangeSet {
  const set = new RangeSet();
  for (const one of ranges) set.add(one);
  return set;
}

test("agrees with a set of single positions", (t) => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), range, (ranges, asked) => {
      const set = setOf(ranges);
      const model = new Set(ranges.flatMap(positionsOf));
      const wanted = positionsOf(asked);
      t.is(
        set.has(asked),
        wanted.every((position) => model.has(position)),
      );
      t.is(
        set.touches(asked),
        wanted.some((position) => model.has(position)),
      );
      t.is(set.includes(asked.source, asked.first), model.has(`${asked.source}@${asked.first}`));
      t.deepEqual([...set].flatMap(positionsOf).sort(), [...model].sort());
    }),
  );
});

test("keeps ranges apart, ascending and as few as can be", (t) => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (ranges) => {
      const set = setOf(ranges);
      const last = new Map<string, number>();
      for (const { source, first, next } of set) {
        t.true(first < next);
        t.true(first > (last.get(source) ?? -1));
        last.set(source, next);
      }
      t.is(set.count, [...set].length);
    }),
  );
});

test("merging and the plain form lose nothing", (t) => {
  fc.assert(
    fc.property(fc.array(range), fc.array(range), (left, right) => {
      const both = setOf(left);
      both.merge(setOf(right));
      t.deepEqual([...both].sort(bySource), [...setOf([...left, ...right])].sort(bySource));
      const read = RangeSet.fromRecord(JSON.parse(JSON.stringify(both.toRecord())));
      t.deepEqual([...(read ?? [])], [...both]);
    }),
  );
});

function bySource(left: Range, right: Range): number {
  return left.source < right.source ? -1 : left.source > right.source ? 1 : left.first - right.first;
}

test("touching batches stay one range", (t) => {
  const set = new RangeSet();
  for (let first = 0; first < 100_000; first += 10) set.add({ source: "a:1", first, next: first + 10 });
  t.deepEqual(set.toRecord(), { ranges: [["a:1", "0-100000"]] });
});

test("at the limit the lowest range and the oldest source are forgotten, counted, never invented", (t) => {
  const gaps = new RangeSet();
  for (let index = 0; index <= RANGES_PER_SOURCE_MAX; index++) {
    gaps.add({ source: "a:1", first: index * 10, next: index * 10 + 5 });
  }
  t.is(gaps.count, RANGES_PER_SOURCE_MAX);
  t.is(gaps.forgotten, 1);
  t.false(gaps.has({ source: "a:1", first: 0, next: 5 }));
  t.true(gaps.has({ source: "a:1", first: 10, next: 15 }));

  const sources = new RangeSet();
  for (let index = 0; index < SOURCES_MAX; index++) sources.add({ source: `s${index}`, first: 0, next: 5 });
  sources.add({ source: "s0", first: 5, next: 6 });
  sources.add({ source: "new", first: 0, next: 1 });
  t.true(sources.has({ source: "s0", first: 0, next: 6 }), "used since");
  t.false(sources.touches({ source: "s1", first: 0, next: 5 }), "the one used longest ago");
  t.is(sources.forgotten, 1);
});

test("what is no plain form is refused", (t) => {
  for (const wrong of [null, 7, {}, { ranges: [["a"]] }, { ranges: [["a", "5-3"]] }, { ranges: [["a", "x"]] }]) {
    t.is(RangeSet.fromRecord(wrong), undefined);
  }
  t.throws(() => new RangeSet().add({ source: "a", first: 5, next: 3 }), { instanceOf: RangeError });
});
