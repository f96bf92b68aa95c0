// Work that stands still shows, and nothing else does.
import test from "ava";
import { Progress } from "./progress.ts";

function atHand() {
  let now = 0;
  const progress = new Progress(() => now);
  return { progress, later: (ms: number) => (now += ms) };
}

test("who has nothing to do does not stand still", (t) => {
  const { progress, later } = atHand();
  later(1_000);
  t.is(progress.stalledMs, 0);
});

test("what is in hand stands still until something of it is done", (t) => {
  const { progress, later } = atHand();
  later(5_000);
  progress.begin();
  progress.begin();
  later(300);
  t.is(progress.stalledMs, 300);
  progress.done();
  t.is(progress.stalledMs, 0);
  later(200);
  t.is(progress.stalledMs, 200);
  progress.advance();
  t.is(progress.stalledMs, 0);
  progress.done();
  later(1_000);
  t.is(progress.stalledMs, 0);
});

test("a check that says no counts as work in hand", (t) => {
  const { progress, later } = atHand();
  let isWorking = true;
  progress.check(() => isWorking);
  t.is(progress.stalledMs, 0);
  isWorking = false;
  later(400);
  t.is(progress.stalledMs, 400);
  isWorking = true;
  t.is(progress.stalledMs, 0);
});
