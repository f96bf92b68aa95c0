// Tests the statistics against what their definitions say of any sample.
import test from "ava";
import fc from "fast-check";
import { median, percentile, spread } from "./statistics.ts";

const samples = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 200 });

test("a percentile is of the sample, and enough lies at or below it", (t) => {
  fc.assert(
    fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      const value = percentile(values, share) as number;
      const below = values.filter((one) => one <= value).length;
      return values.includes(value) && below >= share * values.length;
    }),
  );
  t.is(percentile([3, 1, 2], 1), 3);
  t.is(
    percentile(
      Array.from({ length: 100 }, (_, index) => index + 1),
      0.99,
    ),
    99,
  );
});

test("a median has as much above as below", (t) => {
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([3, 1, 2]), 2);
  fc.assert(
    fc.property(samples, (values) => {
      const middle = median(values) as number;
      const half = values.length / 2;
      return values.filter((v) => v <= middle).length >= half && values.filter((v) => v >= middle).length >= half;
    }),
  );
});

test("nothing has none of them", (t) => {
  t.is(median([]), undefined);
  t.is(percentile([], 0.5), undefined);
  t.is(spread([]), undefined);
});
