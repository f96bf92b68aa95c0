// Who has to go first where there is no room.
import test from "ava";
import { evictionOf } from "./eviction.ts";

const entry = (key: string, rule: string, count = 0n, bytes = 10) => ({ key, bytes, detection: { rule, count } });
const keys = (entries: { key: string }[]) => entries.map(({ key }) => key);

test("what repeats itself goes before what happened once, though that is older", (t) => {
  const candidates = [
    entry("1", "rare"),
    entry("2", "loud"),
    entry("3", "loud"),
    entry("4", "loud"),
    entry("5", "rare too"),
  ];
  t.deepEqual(keys(evictionOf(candidates, 25)), ["2", "3", "4"]);
  t.deepEqual(keys(evictionOf(candidates, 45)), ["2", "3", "4", "1", "5"], "then the oldest");
});

test("repeats that were folded count as often as they happened", (t) => {
  const candidates = [entry("1", "often"), entry("2", "often"), entry("3", "folded", 500n), entry("4", "folded", 2n)];
  t.deepEqual(keys(evictionOf(candidates, 10)), ["3"]);
  t.deepEqual(keys(evictionOf(candidates, 30)), ["3", "4", "1"]);
});

test("no more goes than has to, and all where that is not enough", (t) => {
  const candidates = [entry("1", "a", 0n, 100), entry("2", "a", 0n, 100)];
  t.deepEqual(keys(evictionOf(candidates, 0)), []);
  t.deepEqual(keys(evictionOf(candidates, 1)), ["1"]);
  t.deepEqual(keys(evictionOf(candidates, 1_000)), ["1", "2"]);
});
