// Cases taken from the tests of Sigma engines and from SigmaHQ, and its public rules for Linux: each as expected.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { compileRules, loadRules, SKIPPING_CODES } from "@nightjar/rules";
import test, { type ExecutionContext } from "ava";
import { differences, type SigmaCase } from "./sigma-cases.ts";
import { SIGMA_GAPS } from "./sigma-gaps.ts";

/** The folder of cases; it is not part of this repository. */
const folder = resolve(process.env.NIGHTJAR_CASES ?? join(import.meta.dirname, "../../..", "shared", "cases"));
/** Where a JSON report of every case's outcome goes, if anywhere: beside that of Falco's cases. */
const reportFile = process.env.NIGHTJAR_CASES_REPORT?.replace(/(\.[^./]*)?$/, ".sigma$1");
/** Of the public rules so many must load. */
const PUBLIC_RULES_MIN = 220;

/** Says so, and passes, where there is nothing to test against. */
function missing(t: ExecutionContext, name: string): void {
  t.log(`NOT RUN: no ${name} in ${folder}; set NIGHTJAR_CASES to the folder of cases`);
  t.pass();
}

test("the cases of Sigma engines come out as expected, but for the gaps", (t) => {
  const file = join(folder, "sigma_cases.json");
  if (!existsSync(file)) return missing(t, "sigma_cases.json");
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: SigmaCase[] };
  const outcomes = cases.map((each) => {
    const found = differences(each);
    const gap = SIGMA_GAPS[each.id];
    const outcome = { id: each.id, section: each.section, passed: found.length === 0, differences: found };
    return gap === undefined ? outcome : { ...outcome, gap };
  });
  if (reportFile) writeFileSync(reportFile, JSON.stringify(outcomes, undefined, 2));
  for (const [section, list] of Map.groupBy(outcomes, (outcome) => outcome.section))
    t.log(`${section}: ${list.filter(({ passed }) => passed).length} of ${list.length}`);
  const failed = outcomes.filter((outcome) => !outcome.passed && !("gap" in outcome));
  t.deepEqual(failed, [], "cases that fail and are no known gap");
  const closed = outcomes.filter((outcome) => outcome.passed && "gap" in outcome).map(({ id }) => id);
  t.deepEqual(closed, [], "gaps that pass: take them off the list");
});

function publicRules(root: string): { name: string; text: string }[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yml"))
    .sort()
    .map((name) => ({ name: relative(root, join(root, name)), text: readFileSync(join(root, name), "utf8") }));
}

test("SigmaHQ's public rules for Linux load and compile, or are refused with a named reason", (t) => {
  const root = join(folder, "rules_sigma");
  if (!existsSync(root)) return missing(t, "rules_sigma");
  const files = publicRules(root);
  const { rules, problems } = loadRules(files);
  const refused = problems.filter(({ severity, code }) => severity === "error" || SKIPPING_CODES.has(code));
  t.log(`${rules.length} of ${files.length} load`);
  const reasons = Map.groupBy(refused, ({ code, message }) => `${code}: ${message}`);
  for (const [reason, list] of reasons) t.log(`${list.length} refused, ${reason}`);
  t.deepEqual(
    refused.filter(({ code }) => code !== "SIGMA_LOGSOURCE_UNSERVED" && code !== "SIGMA_NEVER_MATCHES"),
    [],
  );
  t.is(rules.length + refused.length, files.length, "each is loaded, or refused once");
  t.true(rules.length >= PUBLIC_RULES_MIN);
  t.is(compileRules(rules).rules.length, rules.length);
});

test("the harness notices: a wrong expectation is a difference", (t) => {
  const rule_yaml = "title: T\nlogsource: {category: test}\ndetection: {a: {b: c}, condition: a}\n";
  t.is(differences({ id: "x", section: "match", expected: "nomatch", rule_yaml, event: { b: "C" } }).length, 1);
  t.is(differences({ id: "x", section: "match", expected: "match", rule_yaml, event: { b: "d" } }).length, 1);
  t.is(differences({ id: "x", section: "condition", expected: "ok", condition: "a and" }).length, 1);
});
