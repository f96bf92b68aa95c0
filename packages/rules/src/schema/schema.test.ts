// The JSON schemas take what the readers take, and refuse what a person gets wrong most often.
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import test from "ava";
import { parse } from "yaml";
import { loadRules } from "../files/load.ts";
import { RULES_SCHEMA, TESTS_SCHEMA } from "./schema.ts";

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false });
const isRules = ajv.compile(RULES_SCHEMA);
const isTests = ajv.compile(TESTS_SCHEMA);

const starter = (name: string): string =>
  readFileSync(new URL(`../../../../services/rule-engine/rules/${name}`, import.meta.url), "utf8");

test("the starter rules and their tests are what the schemas describe", (t) => {
  t.true(isRules(parse(starter("nightjar.yaml"))), JSON.stringify(isRules.errors));
  t.true(isTests(parse(starter("nightjar.test.yaml"))), JSON.stringify(isTests.errors));
});

/** Each form of Falco's items, and whether it is taken. */
const ITEMS: readonly (readonly [item: string, taken: boolean])[] = [
  ["{list: l, items: [a, 1, true]}", true],
  ["{macro: m, condition: evt.type = open}", true],
  ["{rule: R, desc: d, condition: evt.type = execve, output: o, priority: INFO}", true],
  ["{rule: R, condition: and x, override: {condition: append}}", true],
  ["{rule: R, exceptions: [{name: e, fields: [a, b], comps: [=, in], values: [[x, [y, z]]]}], append: true}", true],
  ["{required_engine_version: 0.57.0}", true],
  ["{append_output: [{match: {rule: R}, extra_output: by %proc.name, extra_fields: [proc.pid, {a: b}]}]}", true],
  ["{static_fields: {site: Berlin}}", true],
  ["{append_output: [{extra: x}]}", false],
  ["{rule: R, desc: d, condition: c, output: o, priority: SEVERE}", false],
  ["{rule: R, desc: d, condtion: c, output: o, priority: INFO}", false],
  ["{rule: R, condition: x, override: {condition: add}}", false],
  ["{list: l, items: a}", false],
  ["{nothing: x}", false],
];

for (const [item, taken] of ITEMS) {
  test(`${item} is ${taken ? "taken" : "refused"}, as the loader does or warns`, (t) => {
    t.is(isRules(parse(`- ${item}`)), taken);
    const { problems } = loadRules([
      { name: "before.yaml", text: "- {rule: R, desc: d, condition: evt.type = execve, output: o, priority: INFO}" },
      { name: "r.yaml", text: `- ${item}` },
    ]);
    const told = problems.filter(({ code }) => /YAML|UNKNOWN_ITEM/.test(code));
    t.is(told.length === 0, taken, JSON.stringify(problems));
  });
}

test("Sigma's three kinds of documents are taken", (t) => {
  const rule =
    "{title: T, logsource: {product: linux}, detection: {a: {Image|endswith: /sh}, condition: a}, level: low}";
  t.true(isRules(parse(rule)), JSON.stringify(isRules.errors));
  t.true(isRules(parse("{title: T, correlation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: 3}}}")));
  t.true(isRules(parse("{title: T, filter: {rules: [a], sel: {User: root}, condition: not sel}}")));
  t.false(isRules(parse("{title: T, detection: {condition: a}}")));
  t.false(isRules(parse(rule.replace("low", "severe"))));
});

test("tests of rules: an event or a recording, and no key but those there are", (t) => {
  const file = (one: string) => parse(`{tests: [${one}]}`);
  t.true(isTests(file("{test: t, event: {type: open, fd.name: /x, proc.args: [a, b]}, match: R}")));
  t.true(isTests(file("{test: t, recording: a.njr, match: [], no_match: [R]}")));
  t.false(isTests(file("{test: t, match: R}")));
  t.false(isTests(file("{test: t, event: {type: open}, recording: a.njr, match: R}")));
  t.false(isTests(file("{test: t, event: {type: open}, matches: R}")));
});
