// Down a step while something stays over, up when all has long been well, and no swinging between the two.
import test from "ava";
import { Ladder } from "./ladder.ts";

const OVER = { isOver: true, isWell: false };
const WELL = { isOver: false, isWell: true };
const BETWEEN = { isOver: false, isWell: false };

function ladder() {
  const one = new Ladder({ steps: 3, overMs: 10, backMs: 100 });
  let now = 0;
  /** Looks once a millisecond, for so long. */
  const pass = (ms: number, pressure: typeof OVER) => {
    for (let passed = 0; passed < ms; passed++) one.look(++now, pressure);
    return one.step;
  };
  return { pass };
}

test("a moment over is nothing, and each step needs its time", (t) => {
  const { pass } = ladder();
  t.is(pass(9, OVER), 0);
  t.is(pass(1, BETWEEN), 0);
  t.is(pass(10, OVER), 0, "the time begins anew");
  t.is(pass(1, OVER), 1);
  t.is(pass(9, OVER), 1);
  t.is(pass(1, OVER), 2);
  t.is(pass(50, OVER), 3, "there are no more");
});

test("between over and well it stays where it is", (t) => {
  const { pass } = ladder();
  t.is(pass(11, OVER), 1);
  t.is(pass(1_000, BETWEEN), 1);
  t.is(pass(100, WELL), 1);
  t.is(pass(1, WELL), 0);
});

test("a step back that did not last makes the next wait longer, and a long quiet makes up for it", (t) => {
  const { pass } = ladder();
  pass(11, OVER);
  t.is(pass(101, WELL), 0);
  t.is(pass(11, OVER), 1, "it did not last");
  t.is(pass(101, WELL), 1);
  t.is(pass(100, WELL), 0, "twice as long");
  t.is(pass(11, OVER), 1);
  t.is(pass(401, WELL), 0, "four times");
  pass(401, WELL);
  t.is(pass(11, OVER), 1, "it had lasted");
  t.is(pass(101, WELL), 0);
});
