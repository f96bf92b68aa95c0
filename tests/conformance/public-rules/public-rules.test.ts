// Falco's public rules over real events: which can come true, and that a field's text is what they compare it with.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { compileRules, loadRules, type Rule } from "@nightjar/rules";
import test, { type ExecutionContext } from "ava";
import { CASES } from "./cases.ts";
import { batchOfDeed, type Deed } from "./deeds.ts";
import { RULE_GAPS, WITHOUT_DEED } from "./gaps.ts";

const cases = process.env.NIGHTJAR_CASES ?? join(import.meta.dirname, "../../../..", "shared", "cases");
const folder = resolve(cases, "rules_falco");
const FILES = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"];

function publicRules(): readonly Rule[] | undefined {
  if (!existsSync(folder)) return undefined;
  const files = FILES.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
  return loadRules(files).rules.map((rule) => ({ ...rule, enabled: true }));
}

const rules = publicRules();
const engine = rules && compileRules(rules);

/** Says so, and passes, where there is nothing to test against. */
function missing(t: ExecutionContext): void {
  t.log(`NOT RUN: no rules in ${folder}; set NIGHTJAR_CASES to the folder of cases`);
  t.pass();
}

test("every public rule can come true, but for the gaps", (t) => {
  if (!rules) return missing(t);
  const canMatch = (rule: Rule): boolean => compileRules([rule]).eventTypes.length > 0;
  const silent = rules.filter((rule) => !canMatch(rule)).map(({ name }) => name);
  t.deepEqual(
    silent.filter((name) => !(name in RULE_GAPS)),
    [],
    "rules that no event can make true, and that are no known gap",
  );
  t.deepEqual(
    Object.keys(RULE_GAPS).filter((name) => !silent.includes(name)),
    [],
    "gaps that are closed: take them off the list",
  );
  t.log(`${rules.length - silent.length} of ${rules.length}`);
});

test("every rule that can come true has a case", (t) => {
  if (!rules) return missing(t);
  const tried = new Set(CASES.map(([rule]) => rule));
  const isExcused = (name: string) => name in RULE_GAPS || name in WITHOUT_DEED;
  const untried = rules.filter(({ name }) => !isExcused(name) && !tried.has(name)).map(({ name }) => name);
  t.deepEqual(untried, []);
});

function matched(deed: Deed): string[] {
  return engine?.matchBatch(batchOfDeed(deed)).map(({ rule }) => rule.name) ?? [];
}

for (const [at, [rule, match, miss]] of CASES.entries()) {
  test(`${rule} (${at})`, (t) => {
    if (!rules) return missing(t);
    t.true(matched(match).includes(rule), "the deed that the rule is for");
    t.false(matched(miss).includes(rule), "the deed that is another");
  });
}
