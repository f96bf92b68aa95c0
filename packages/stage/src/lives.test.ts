// What counts as a failure, when failures are forgotten, and what comes after ten of them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { FAILURES_MAX, Life } from "./lives.ts";

const fail = (folder: string) => new Life(folder).failed();

test("ten failures in a row lead to safe mode, one more to the end, and who starts it then begins anew", (t) => {
  const folder = temporaryFolder(t);
  for (let times = 0; times < FAILURES_MAX; times++) {
    const life = new Life(folder);
    t.is(life.plan, "normal");
    life.failed();
  }
  const safe = new Life(folder);
  t.deepEqual([safe.plan, safe.failures, safe.followsSilence], ["safe", FAILURES_MAX, false]);
  safe.failed();
  t.is(new Life(folder).plan, "stop");
  const anew = new Life(folder);
  t.deepEqual([anew.plan, anew.failures, anew.followsSilence], ["normal", 0, false]);
});

test("being asked to end makes all good; finding the bus elsewhere neither", (t) => {
  const folder = temporaryFolder(t);
  fail(folder);
  new Life(folder).ended(false);
  t.is(new Life(folder).failures, 1);
  new Life(folder).ended(true);
  t.is(new Life(folder).failures, 0);
});

test("an end without a word counts before the stage was ready, not after: anybody may have killed it", (t) => {
  const folder = temporaryFolder(t);
  new Life(folder);
  const second = new Life(folder);
  t.deepEqual([second.failures, second.followsSilence], [1, true]);
  second.ready(() => undefined);
  const third = new Life(folder);
  t.deepEqual([third.failures, third.followsSilence], [1, true]);
});

test("a failure whose cause is out of the way does not count", (t) => {
  const folder = temporaryFolder(t);
  for (let times = 0; times < FAILURES_MAX - 1; times++) fail(folder);
  const life = new Life(folder);
  life.cured();
  life.failed();
  t.is(new Life(folder).failures, 1);
});

test("a record that is damaged is none", (t) => {
  const folder = temporaryFolder(t);
  for (const text of ["", "{", "null", '{"failures":-1}', '{"failures":"11"}', "[]"]) {
    writeFileSync(join(folder, "lives.json"), text);
    t.is(new Life(folder).failures, 0, text);
  }
});
