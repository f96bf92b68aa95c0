// Tested with every form that is allowed and with what only looks like one.
import test from "ava";
import { readTime, spanText } from "./time.ts";

const NOW = Date.UTC(2026, 5, 1, 12);

for (const [text, back] of [
  ["30s", 30],
  ["10m", 600],
  ["2h", 7_200],
  ["1d", 86_400],
  ["0s", 0],
] as const) {
  test(`${text} is ${back} s back`, (t) => {
    t.is(readTime(text, NOW)?.getTime(), NOW - back * 1000);
  });
}

test("points in time", (t) => {
  t.is(readTime("2026-01-31T12:00:00Z", NOW)?.getTime(), Date.UTC(2026, 0, 31, 12));
  t.is(readTime("2026-01-31T12:00:00+02:00", NOW)?.getTime(), Date.UTC(2026, 0, 31, 10));
  t.is(readTime("2026-01-31", NOW)?.getTime(), Date.UTC(2026, 0, 31));
});

for (const text of ["", "5", "1w", "-1h", "1.5h", "yesterday", "2026-13-01", "2026-01-31T25:00:00Z"]) {
  test(`refused: "${text}"`, (t) => {
    t.is(readTime(text, NOW), undefined);
  });
}

test("how long something took, in its two largest units", (t) => {
  const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
  const spans = [0, 999, 59 * second, 61 * second, hour, hour + 59 * second, 3 * day + 2 * hour + minute];
  t.deepEqual(spans.map(spanText), ["0 s", "0 s", "59 s", "1 min 1 s", "1 h", "1 h", "3 d 2 h"]);
});
