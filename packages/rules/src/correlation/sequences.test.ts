// Twenty sequences of real events, each in order, reversed, out of time and interleaved across groups: only those in
// order are detected, whatever order the events come in within a second.
import { BatchReader } from "@nightjar/events";
import test from "ava";
import { bytes, type EventInit, encode, image, open } from "../engine/batch.fixture.ts";
import { compileRules } from "../engine/engine.ts";
import { loadRules } from "../files/load.ts";
import { CorrelationEngine } from "./engine.ts";
import type { RuleMatch } from "./match.ts";
import { valuesOf } from "./values.ts";

const TIMESPAN_S = 60;
const GROUPINGS = ["proc.name", "same process", "descendant of", "user.name, proc.name", "same user"];
const LENGTHS = [2, 3, 4, 5];
const SEQUENCES = GROUPINGS.flatMap((groupBy) => LENGTHS.map((length) => ({ groupBy, length })));

/** A Falco rule for each step, and a Sigma document that puts them in order, in one file. */
function rulesOf(index: number): string {
  const { groupBy, length } = SEQUENCES[index] as (typeof SEQUENCES)[number];
  const rules = Array.from(
    { length },
    (_, step) => `
- rule: s${index}_step${step}
  desc: a step
  condition: evt.type = openat and fd.name = /s${index}/${step}
  output: step
  priority: NOTICE`,
  );
  const names = Array.from({ length }, (_, step) => `    - s${index}_step${step}`);
  return `${rules.join("\n")}
---
title: Sequence ${index}
correlation:
  type: temporal_ordered
  rules:
${names.join("\n")}
  group-by: [${groupBy}]
  timespan: ${TIMESPAN_S}s
level: high
`;
}

/** Two groups that have nothing in common: a shell with two children that act, as a user each. */
const ROWS = [100, 200].flatMap((pid, group) => [
  { pid, name: bytes(`sh${group}`), startTimeNs: BigInt(pid), image: image("/bin/sh", []), uid: group },
  ...[1, 2].map((child) => ({
    pid: pid + child,
    name: bytes(`sh${group}`),
    startTimeNs: BigInt(pid + child),
    parent: 3 * group + 1,
    image: image("/bin/sh", []),
    uid: group,
    userName: `user${group}`,
  })),
]);

interface Step {
  step: number;
  atS: number;
  group: number;
}

/** The events' own process: of the tree the shell begins and its children go on; else one does everything. */
function actorOf({ step, group }: Step, groupBy: string): number {
  const child = groupBy === "descendant of" && step > 0 ? 1 + (step % 2) : 0;
  return 3 * group + (groupBy === "descendant of" ? child : 1) + 1;
}

function batchOf(index: number, steps: readonly Step[]): Uint8Array {
  const { groupBy } = SEQUENCES[index] as (typeof SEQUENCES)[number];
  const actors = steps.map((step) => actorOf(step, groupBy));
  const events = steps.map(({ step, atS, group }, at): EventInit => {
    const row = ROWS[(actors[at] as number) - 1];
    const process = { pid: row?.pid ?? 0, startTimeNs: row?.startTimeNs ?? 0n, uid: group };
    return { ...open(`/s${index}/${step}`, 0), ...process, timeNs: BigInt(Math.round(atS * 1e9)) } as EventInit;
  });
  return encode(events, ROWS, actors);
}

const loaded = loadRules(SEQUENCES.map((_, index) => ({ name: `sequence${index}.yaml`, text: rulesOf(index) })));
const engine = compileRules(loaded.rules);

/** What a batch's events match, with what correlations need, in the order of the batch. */
function matchesOf(batchBytes: Uint8Array): RuleMatch[] {
  const batch = new BatchReader(batchBytes);
  const values = valuesOf(batch);
  return engine.matchBatch(batchBytes).map(({ rule, eventIndex, position, lineage }) => ({
    rule: rule.name,
    source: batch.sourceId,
    position,
    timeUs: Math.floor(batch.eventTimeNs(eventIndex) / 1_000),
    fields: values(loaded.correlated.get(rule.name)?.fields ?? new Map(), eventIndex),
    lineage: lineage.map((row) => `${ROWS[row]?.pid}`),
  }));
}

/** Titles of what fires; a second time for what is not the same story. */
function alerts(matches: readonly RuleMatch[]): string[] {
  const correlation = new CorrelationEngine(loaded.correlations);
  const firings = matches.flatMap((match) => correlation.take([match], match.timeUs));
  return firings.filter(({ repeats }) => !repeats).map(({ correlation: { name } }) => name);
}

const FORMS: Readonly<Record<string, (length: number) => Step[]>> = {
  "in order": (length) => steps(length, (step) => ({ step, atS: 100 + 5 * step, group: 0 })),
  reversed: (length) => steps(length, (step) => ({ step: length - 1 - step, atS: 100 + 5 * step, group: 0 })),
  "out of time": (length) =>
    steps(length, (step) => ({ step, atS: 100 + (step === length - 1 ? TIMESPAN_S + 0.001 : step), group: 0 })),
  "interleaved across groups": (length) => steps(length, (step) => ({ step, atS: 100 + 5 * step, group: step % 2 })),
};

function steps(length: number, make: (step: number) => Step): Step[] {
  return Array.from({ length }, (_, step) => make(step));
}

test("the files load without a problem", (t) => {
  t.deepEqual(loaded.problems, []);
  t.is(loaded.correlations.length, 20);
});

for (const [form, make] of Object.entries(FORMS)) {
  test(`${form}: ${form === "in order" ? "all 20 fire, once" : "none of 20 fires"}`, (t) => {
    for (const [index, { length, groupBy }] of SEQUENCES.entries()) {
      const matches = matchesOf(batchOf(index, make(length)));
      t.is(matches.length, length, "each step matches its rule");
      t.deepEqual(alerts(matches), form === "in order" ? [`Sequence ${index}`] : [], `${groupBy}, ${length} steps`);
    }
  });
}

test("in whatever order the events of one second come, the outcome is the same", (t) => {
  for (const [index, { length }] of SEQUENCES.entries()) {
    const inOrder = steps(length, (step) => ({ step, atS: 100 + 0.1 * step, group: 0 }));
    const matches = matchesOf(batchOf(index, inOrder));
    for (const order of [matches.toReversed(), [...matches.slice(1), ...matches.slice(0, 1)]]) {
      t.deepEqual(alerts(order), [`Sequence ${index}`]);
    }
    const backwards = matchesOf(
      batchOf(
        index,
        steps(length, (step) => ({ step, atS: 101 - 0.1 * step, group: 0 })),
      ),
    );
    t.deepEqual(alerts(backwards.toReversed()), []);
  }
});
