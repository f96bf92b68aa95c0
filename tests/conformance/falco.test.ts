// Falco's own cases, mechanically taken from its tests, and its public rules: each case must come out as expected.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkCondition, compileRules, EVENT_NAMES, findField, interpret, loadRules } from "@nightjar/rules";
import test, { type ExecutionContext } from "ava";
import { type Case, differences, type FilterCase, filterDifferences } from "./falco-cases.ts";
import { FALCO_GAPS } from "./falco-gaps.ts";
import { type FlatEvent, flatField } from "./flat-fields.ts";

/** The folder of cases; it is not part of this repository. */
const folder = resolve(process.env.NIGHTJAR_CASES ?? join(import.meta.dirname, "../../..", "shared", "cases"));
/** Where a JSON report of every case's outcome goes, if anywhere. */
const reportFile = process.env.NIGHTJAR_CASES_REPORT;

interface Outcome {
  id: string;
  section: string;
  passed: boolean;
  differences: string[];
  gap?: string;
}

function readJson<T>(name: string): T | undefined {
  const file = join(folder, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}

const cases = readJson<{ cases: Case[] }>("falco_cases.json")?.cases;
const diff = readJson<{ events: Record<string, FlatEvent[]>; cases: FilterCase[] }>("falco_filter_diff.json");

/** Says so, and passes, where there is nothing to test against. */
function missing(t: ExecutionContext, name: string): void {
  t.log(`NOT RUN: no ${name} in ${folder}; set NIGHTJAR_CASES to the folder of cases`);
  t.pass();
}

function scoreOf(outcomes: readonly Outcome[]): string[] {
  const sections = Map.groupBy(outcomes, ({ section }) => section);
  return [...sections].map(([section, list]) => {
    return `${section}: ${list.filter(({ passed }) => passed).length} of ${list.length}`;
  });
}

test("Falco's own cases come out as in Falco, but for the gaps", (t) => {
  if (!cases || !diff) return missing(t, "falco_cases.json or falco_filter_diff.json");
  const outcomes = cases.map((each): Outcome => {
    const found = differences(each, diff.events);
    const gap = FALCO_GAPS[each.id];
    const outcome = { id: each.id, section: each.section, passed: found.length === 0, differences: found };
    return gap === undefined ? outcome : { ...outcome, gap };
  });
  if (reportFile) writeFileSync(reportFile, JSON.stringify(outcomes, undefined, 2));
  for (const line of scoreOf(outcomes)) t.log(line);
  const failed = outcomes.filter(({ passed, gap }) => !passed && gap === undefined);
  t.deepEqual(failed, [], "cases that fail and are no known gap");
  const closed = outcomes.filter(({ passed, gap }) => passed && gap !== undefined).map(({ id }) => id);
  t.deepEqual(closed, [], "gaps that pass: take them off the list");
});

test("filters match the recorded events that Falco's library says they match", (t) => {
  if (!diff) return missing(t, "falco_filter_diff.json");
  const counted = diff.cases.filter(({ flat_fields_suffice }) => flat_fields_suffice);
  const failed = counted.flatMap((each) => {
    const found = filterDifferences(each, diff.events[each.capture] ?? []);
    return found.length > 0 ? [{ filter: each.filter, found }] : [];
  });
  t.log(`${counted.length - failed.length} of ${counted.length}`);
  t.deepEqual(failed, []);
});

test("Falco's public rules all load, with no problem and no warning, and compile", (t) => {
  const rulesFolder = join(folder, "rules_falco");
  if (!existsSync(rulesFolder)) return missing(t, "rules_falco");
  const names = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];
  t.deepEqual(
    readdirSync(rulesFolder)
      .filter((name) => name.endsWith(".yaml"))
      .sort(),
    [...names].sort(),
  );
  const { rules, problems } = loadRules(
    names.map((name) => ({ name, text: readFileSync(join(rulesFolder, name), "utf8") })),
  );
  t.deepEqual(problems, []);
  t.is(rules.length, 93);
  const engine = compileRules(rules.map((rule) => ({ ...rule, enabled: true })));
  t.is(engine.rules.length, 93);
  t.true(engine.eventTypes.length >= 3);
});

test("the harness notices: a wrong expectation is a difference", (t) => {
  const wrong = {
    id: "x",
    section: "filter-eval",
    filter: "proc.name = a",
    expected: "nomatch",
    event_fields: { "proc.name": "a" },
  };
  t.is(differences(wrong, {}).length, 1);
  const context = { findField: flatField, isEventName: (name: string) => EVENT_NAMES.has(name) };
  const { expression } = checkCondition("proc.aname = sshd", context);
  t.truthy(findField("proc.aname"));
  t.truthy(expression);
  if (!expression) return;
  t.true(interpret(expression, (term) => flatValue(term, { "proc.aname[2]": "sshd" })));
  t.false(interpret(expression, (term) => flatValue(term, { "proc.aname[2]": "su" })));
});

function flatValue(term: Parameters<Parameters<typeof interpret>[1]>[0], event: FlatEvent) {
  const getter = term.field.getter?.(term.argument) as ((event: FlatEvent) => string) | undefined;
  return getter?.(event);
}
