// What is over its budget is said with figures; well is what is far enough below.
import test from "ava";
import { judge, type Taken } from "./budget.ts";

const MIB = 1024 * 1024;
const LIMITS = { cpu_percent: 50, busy_cpu_percent: 20, memory_bytes: 512 * MIB, lag_s: 10 };
const QUIET: Taken = {
  cpuPercent: 1,
  memoryBytes: 200 * MIB,
  hostIdlePercent: 90,
  lagS: 0,
  ringPercent: 0,
  diskPercent: 50,
};
const judged = (taken: Partial<Taken>) => judge({ ...QUIET, ...taken }, LIMITS);

test("all is well where all is far below", (t) => {
  t.deepEqual(judged({}), { isOver: false, isWell: true, reason: "" });
});

test("each part alone is over, says so, and is not well just below", (t) => {
  const parts: [Partial<Taken>, Partial<Taken>, RegExp][] = [
    [{ cpuPercent: 51 }, { cpuPercent: 45 }, /takes 51 % of a processor of 50 %$/],
    [{ memoryBytes: 600 * MIB }, { memoryBytes: 500 * MIB }, /600 MiB of memory of 512 MiB/],
    [{ lagS: 12 }, { lagS: 8 }, /12 s behind the kernel, of 10 s/],
    [{ ringPercent: 60 }, { ringPercent: 40 }, /ring buffer is 60 % full/],
    [{ diskPercent: 96 }, { diskPercent: 94 }, /disk is 96 % full/],
  ];
  for (const [over, between, reason] of parts) {
    t.true(judged(over).isOver);
    t.regex(judged(over).reason, reason);
    t.deepEqual([judged(between).isOver, judged(between).isWell], [false, false]);
  }
});

test("on a host with nothing left over the sensor may take less", (t) => {
  const { isOver, reason } = judged({ cpuPercent: 30, hostIdlePercent: 1 });
  t.true(isOver);
  t.regex(reason, /30 % of a processor of 20 % while the host has none left over/);
  t.false(judged({ cpuPercent: 30, hostIdlePercent: 10 }).isOver);
});

test("all that is over is named", (t) => {
  t.is(judged({ lagS: 11, ringPercent: 99 }).reason.split("; ").length, 2);
});
