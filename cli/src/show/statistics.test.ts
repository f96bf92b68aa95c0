// Tested with readings made up: rates between two of them, none over a restart, sums, and what a person reads.
import { create } from "@bufbuild/protobuf";
import { type StageStatus, StageStatusSchema } from "@nightjar/proto";
import test from "ava";
import type { Reading } from "../connect/reading.ts";
import { Output } from "../output.ts";
import { Collected } from "../testing.ts";
import { showStatistics, statisticsOf } from "./statistics.ts";

const MB = 1_000_000n;

function statuses(events: bigint, cpuMs: bigint, instance = "one"): StageStatus[] {
  const rules = [1n, 3n, 2n].map((timeNs) => ({ name: `rule ${timeNs}`, evaluated: 5n, matched: 4n, timeNs }));
  return [
    create(StageStatusSchema, { stage: "bus", instance, childPids: [7], resources: { cpuMs, memoryBytes: 50n * MB } }),
    create(StageStatusSchema, {
      stage: "enricher",
      instance,
      resources: { cpuMs, memoryBytes: 70n * MB },
      counters: { events_in: events, events_out: 9n, facts: 4n, processes: 30n, processes_evicted: 2n },
    }),
    create(StageStatusSchema, { stage: "rule-engine", instance, rules }),
  ];
}

function reading(atMs: number, given: StageStatus[], childCpuMs: number): Reading {
  const queues = [{ stream: "RAW", reader: "enricher", messages: 3, bytes: 100 }];
  const state = {
    statuses: given,
    queues,
    missing: [],
    supervisor: undefined,
    portal: undefined,
    portalAnswers: false,
  };
  return { atMs, state, children: new Map([[7, { cpuMs: childCpuMs, memoryBytes: 30_000_000 }]]) };
}

test("rates are made of two readings, child processes with their stages", (t) => {
  const before = reading(1_000, statuses(100n, 1_000n), 500);
  const { stages, interval_s, totals, indicators, caches, rules } = statisticsOf(
    reading(3_000, statuses(300n, 1_200n), 900),
    before,
  );
  t.is(interval_s, 2);
  const [bus, enricher] = stages;
  t.like(bus, { stage: "bus", cpu_percent: 30, memory_bytes: 80_000_000, lag_messages: 0 });
  t.like(enricher, { stage: "enricher", events_per_s: 100, cpu_percent: 10, lag_messages: 3 });
  t.is(totals.enriched, 9);
  t.is(indicators.facts_told, 4);
  t.deepEqual(caches[0], { name: "processes", stage: "enricher", held: 30, evicted: 2 });
  t.deepEqual(
    rules.map(({ name }) => name),
    ["rule 3", "rule 2", "rule 1"],
  );
});

test("a stage that started between the readings has no rates", (t) => {
  const { stages } = statisticsOf(
    reading(3_000, statuses(5n, 5n, "two"), 0),
    reading(1_000, statuses(100n, 1_000n), 0),
  );
  for (const one of stages) t.false("cpu_percent" in one || "events_per_s" in one, one.stage);
});

test("a person reads a table of the stages, with their sum", (t) => {
  const stdout = new Collected();
  const output = new Output({ stdout, stderr: stdout, stdin: process.stdin, env: {} }, { json: false, color: "never" });
  showStatistics(output, reading(3_000, statuses(300n, 1_200n), 900), reading(1_000, statuses(100n, 1_000n), 500));
  t.regex(stdout.text, /^enricher +100 +10 % +70 MB +3 +/m);
  t.regex(stdout.text, /^all +40 % +150 MB$/m);
  t.regex(stdout.text, /^processes +30 +2 +enricher$/m);
});
