// Tests the load generator: bounded by count, by time, by rate, and honest about what it did.
import { readFileSync } from "node:fs";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { Load, type Operation } from "./load.ts";

const operations: readonly Operation[] = ["exec", "open", "connect"];

for (const operation of operations) {
  test(`${operation}: does as many as it is told`, async (t) => {
    const load = await Load.compile(temporaryFolder(t));
    const result = await load.storm({ operation, countMax: 50, secondsMax: 30, rate: 0 });
    t.like(result, { operation, done: 50, failed: 0 });
    t.true(result.wallS > 0 && result.wallS < 30);
  });

  test(`${operation}: ends in time`, async (t) => {
    const load = await Load.compile(temporaryFolder(t));
    const result = await load.storm({ operation, countMax: 1e9, secondsMax: 0.2, rate: 0 });
    t.true(result.done > 0 && result.wallS >= 0.2, JSON.stringify(result));
  });
}

test("a rate is never exceeded", async (t) => {
  const load = await Load.compile(temporaryFolder(t));
  const { done, wallS } = await load.storm({ operation: "open", countMax: 1e9, secondsMax: 0.5, rate: 2_000 });
  // A millisecond's worth may be done ahead of time.
  t.true(done <= wallS * 2_000 + 2, `${done} in ${wallS} s`);
  t.true(done > 100);
});

test("a deed is done between its times", async (t) => {
  const load = await Load.compile(temporaryFolder(t));
  const deeds = load.deeds("/proc/self/stat");
  const first = await deeds.do();
  const second = await deeds.do();
  t.true(first.bootBeforeNs <= first.bootAfterNs && first.bootAfterNs < second.bootBeforeNs);
  t.true(first.monotonicNs <= process.hrtime.bigint());
  t.is(readFileSync(`/proc/${deeds.pid}/comm`, "utf8").trim(), "load");
  deeds.end();
  await t.throwsAsync(deeds.do());
});
