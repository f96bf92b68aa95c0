// Tests the report's arithmetic on measurements made up so that each figure is known.
import test from "ava";
import type { Machine } from "../common/machine.ts";
import { type Measurements, STEADY_STORM } from "./measure.ts";
import { reportText } from "./print.ts";
import { reportOf } from "./report.ts";

const MB = 1_000_000;
const machine: Machine = {
  kernel: "6.1.0",
  processor: "One",
  processors: 2,
  memoryBytes: 8e9,
  loadAverage: 0.25,
  node: "v24",
};

function stormRun(round: number, wallS: number) {
  const result = { operation: "open", done: 40_000, failed: 0, wallS, userS: 0.1, systemS: wallS / 2 } as const;
  return { ...result, storm: STEADY_STORM, round, foreignProcessors: 0.5 };
}

function ledger(submitted: number, dropped: number) {
  const seen = submitted + dropped;
  return {
    seen,
    filtered: 0,
    submitted,
    dropped,
    submittedByType: { open: submitted },
    droppedByReason: dropped > 0 ? { ring_full: dropped } : {},
  };
}

function measurements(dropped: number): Measurements {
  const cpuS = { collector: 0.5, "nats-server": 0.25, portal: 9 };
  return {
    off: [stormRun(1, 2), stormRun(2, 2)],
    on: [
      { ...stormRun(1, 4), ledger: ledger(80_000, dropped), cpuS, drainS: 1 },
      { ...stormRun(2, 2), ledger: ledger(40_000, 0), cpuS, drainS: 0 },
    ],
    latencies: [{ condition: "quiet", place: "bus", round: 1, deeds: 4, missed: 0, ms: [5, 6, 7, 60] }],
    memory: [
      [
        { role: "collector", pid: 2, peakResidentBytes: 90 * MB, proportionalBytes: 50 * MB },
        { role: "portal", pid: 3, peakResidentBytes: 900 * MB, proportionalBytes: 800 * MB },
      ],
    ],
    startS: [2],
    versions: {},
  };
}

test("ratios are of runs in the same round", (t) => {
  const steady = reportOf(machine, measurements(0)).storms.find(({ storm }) => storm === STEADY_STORM);
  t.like(steady, { rounds: 2, submitted: 120_000, dropped: 0 });
  t.deepEqual(steady?.wallRatio, { median: 1.5, least: 1, most: 2 });
  t.deepEqual(steady?.submittedPerS, { median: 20_000, least: 20_000, most: 20_000 });
  t.deepEqual(steady?.processedPerS, { median: 18_000, least: 16_000, most: 20_000 });
});

test("processor time is per million events, and the sum is without the portal", (t) => {
  const steady = reportOf(machine, measurements(0)).storms.find(({ storm }) => storm === STEADY_STORM);
  t.deepEqual(steady?.cpuSPerMillionEvents.collector, { median: 9.375, least: 6.25, most: 12.5 });
  t.deepEqual(steady?.cpuUsPerOperation, { median: 18.75, least: 18.75, most: 18.75 });
  t.is(steady?.cpuSPerMillionEvents["sum without the portal"]?.most, 18.75);
});

test("aims are reached or not, by what was measured", (t) => {
  const reached = (dropped: number) => reportOf(machine, measurements(dropped)).aims.map((aim) => aim.reached);
  t.deepEqual(reached(0), [true, true, false]);
  t.deepEqual(reached(1), [false, true, false]);
});

test("the text has every figure's row, and storms that never ran have none", (t) => {
  const text = reportText(reportOf(machine, measurements(3)));
  for (const part of ["ring_full 3", "20,000 [20,000..20,000]", "bus, quiet", "load average at the start 0.25"]) {
    t.true(text.includes(part), `${part} in:\n${text}`);
  }
  t.false(/NaN|Infinity|undefined/.test(text), text);
});
