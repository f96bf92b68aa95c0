// When it is tried again, with a clock and chance in hand.

import test from "ava";
import fc from "fast-check";
import { Backoff } from "./backoff.ts";

const S = 1_000;
const options = { baseMs: 500, maxMs: 15 * S, jitter: 1, fastWindowMs: 60 * S, slowIntervalMs: 3_600 * S };

test("waits double from the base to the maximum", (t) => {
  const backoff = new Backoff({ ...options, jitter: 0 }, () => 0);
  t.deepEqual(
    Array.from({ length: 8 }, () => backoff.next()),
    [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000],
  );
  backoff.reset();
  t.is(backoff.next(), 500);
});

test("full jitter takes a wait anywhere below its ceiling, never above", (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(20), (random, failures) => {
      const backoff = new Backoff(
        options,
        () => 0,
        () => random,
      );
      let wait = 0;
      for (let at = 0; at <= failures; at++) wait = backoff.next();
      const ceiling = Math.min(15 * S, 500 * 2 ** failures);
      return Math.abs(wait - ceiling * (1 - random)) < 1e-6;
    }),
  );
  t.pass();
});

test("59 s after the first failure retries are fast, at 61 s hourly, after a success fast again", (t) => {
  let nowMs = 1_000_000;
  const backoff = new Backoff(
    options,
    () => nowMs,
    () => 0.5,
  );
  backoff.next();
  nowMs += 59 * S;
  t.true(backoff.next() <= 15 * S);
  nowMs += 2 * S;
  const slow = backoff.next();
  t.true(slow >= 0.9 * 3_600 * S && slow <= 3_600 * S);
  backoff.reset();
  nowMs += 1;
  t.is(backoff.next(), 250);
});

test("an endless outage overflows nothing", (t) => {
  const backoff = new Backoff(
    { ...options, fastWindowMs: Number.POSITIVE_INFINITY },
    () => 0,
    () => 0,
  );
  for (let at = 0; at < 5_000; at++) t.true(backoff.next() <= 15 * S);
});
