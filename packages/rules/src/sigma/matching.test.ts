// What detections mean, over records with whatever fields they have: modifiers, wildcards, null, pipelines, filters.
import test from "ava";
import { compileCondition } from "../engine/condition.ts";
import type { Getter, Value } from "../fields/definition.ts";
import { ownField } from "../fields/own-field.ts";
import { loadRules } from "../files/load.ts";
import { ALWAYS } from "../language/expression.ts";
import { fieldTerm } from "./fields.ts";
import type { View } from "./view.ts";

type Record_ = Readonly<Record<string, Value>>;

const term = (name: string, get: (record: Record_) => Value) =>
  fieldTerm(ownField(name, "string", "tests", get as unknown as Getter));

const VIEW: View = {
  scope: ALWAYS,
  field: (name) => term(name, (record) => record[name]),
  keywords: [term("the whole record", (record) => JSON.stringify(record))],
};

const CONTEXT = {
  findField: () => undefined,
  isEventName: () => false,
  sigma: { viewsOf: () => ({ views: [VIEW] }), placeholders: new Map([["p", ["x", "y"]]]) },
};

/** Whether a detection, or a whole document, is true of a record. */
function matches(text: string, record: Record_): boolean | string {
  const document = text.includes("condition:")
    ? text
    : `title: T\nlogsource: {product: linux}\ndetection:\n  a: {${text}}\n  condition: a\n`;
  const { rules, problems } = loadRules([{ name: "r.yml", text: document }], CONTEXT);
  const error = problems.find(({ severity }) => severity === "error");
  const [rule] = rules;
  if (error || !rule) return (error ?? problems[0])?.code ?? "no rule";
  return compileCondition<Record_>(rule.expression)(record);
}

const BACKSLASH = "\\";

const CASES: readonly (readonly [detection: string, record: Record_, expected: boolean | string])[] = [
  ["f: Ab", { f: "aB" }, true],
  ["f|cased: Ab", { f: "aB" }, false],
  ["f|cased: Ab", { f: "Ab" }, true],
  ["f: 'a*c'", { f: "abbc" }, true],
  ["f: 'a?c'", { f: "abbc" }, false],
  ["f: 'a?c'", { f: "aXc" }, true],
  [`f: 'a${BACKSLASH}*c'`, { f: "abc" }, false],
  [`f: 'a${BACKSLASH}*c'`, { f: "a*c" }, true],
  [`f: 'a${BACKSLASH}${BACKSLASH}*c'`, { f: `a${BACKSLASH}bc` }, true],
  [`f: 'a${BACKSLASH}b'`, { f: `a${BACKSLASH}b` }, true],
  ["f: '*a*b*a'", { f: "xaxbxa" }, true],
  ["f: 'a*a'", { f: "a" }, false],
  ["f: '*'", { f: "x" }, true],
  ["f: '*'", {}, false],
  ["f: [a, b]", { f: "b" }, true],
  ["f|contains|all: [a, b]", { f: "xbxa" }, true],
  ["f|contains|all: [a, b]", { f: "xb" }, false],
  ["f: null", {}, true],
  ["f: null", { f: "" }, false],
  ["f: ''", { f: "" }, true],
  ["f: ''", {}, false],
  ["f|exists: true", { f: "x" }, true],
  ["f|exists: false", { f: "x" }, false],
  ["f: 22", { f: "22" }, true],
  ["f: '22'", { f: 22 }, true],
  ["f: 22", { f: "022" }, false],
  ["f: 'true'", { f: true }, true],
  ["f|contains: 22", { f: "a22b" }, true],
  ["f|neq: a", { f: "b" }, true],
  ["f|neq: a", { f: "A" }, false],
  ["f|neq: a", {}, true],
  ["f|gt: 5", { f: "6" }, true],
  ["f|gte: 5", { f: 5 }, true],
  ["f|lt: 5", { f: "many" }, false],
  ["f|re: '^a.c'", { f: "abcd" }, true],
  ["f|re: 'B'", { f: "abc" }, false],
  ["f|re|i: 'B'", { f: "abc" }, true],
  ["f|re: 'a.b'", { f: "a\nb" }, false],
  ["f|re|s: 'a.b'", { f: "a\nb" }, true],
  ["f|re: '^b'", { f: "a\nb" }, false],
  ["f|re|m: '^b'", { f: "a\nb" }, true],
  ["f|cidr: 10.0.0.0/8", { f: "10.9.8.7" }, true],
  ["f|cidr: 'fe80::/10'", { f: "fe80::1" }, true],
  ["f|cidr: 10.0.0.0/8", { f: "ten" }, false],
  ["f|windash|contains: ' -a'", { f: "x /A" }, true],
  ["f|windash|contains: ' -a'", { f: "x –a" }, true],
  ["f|windash|contains: 'a-b'", { f: "a/b" }, false],
  ["f|base64: ab", { f: "YWI=" }, true],
  ["f|wide|base64: ab", { f: "YQBiAA==" }, true],
  ["f|utf16|base64: A", { f: "//5BAA==" }, true],
  ["f|wide|utf16: A", {}, "SIGMA_MODIFIER_CHAIN"],
  ["f|base64offset|contains: attack", { f: btoa("an attack!") }, true],
  ["f|base64offset|contains: attack", { f: btoa("my attack!") }, true],
  ["f|base64offset|contains: attack", { f: btoa("the attack!") }, true],
  ["f|base64offset|contains: attack", { f: btoa("a retreat") }, false],
  ["f|fieldref: g", { f: "a", g: "A" }, true],
  ["f|fieldref: g", { f: "a" }, false],
  ["f|fieldref|endswith: g", { f: "/bin/sh", g: "sh" }, true],
  ["f|fieldref|neq: g", { f: "a", g: "b" }, true],
  ["f|expand: '%p%1'", { f: "y1" }, true],
  ["f|expand: '%p%1'", { f: "z1" }, false],
  ["f|hour: 3", { f: "2024-07-10T03:45:00Z" }, true],
  ["f|week: 1", { f: "2024-12-31 10:00:00" }, true],
  ["f|year|gte: 2024", { f: 1720583100 }, true],
];

for (const [detection, record, expected] of CASES) {
  test(`${detection} of ${JSON.stringify(record)} is ${expected}`, (t) => t.is(matches(detection, record), expected));
}

const document = (detection: string): string => `title: T\nlogsource: {product: linux}\ndetection: {${detection}}\n`;

test("«N of» counts, and «them» leaves out what begins with an underscore", (t) => {
  const two = document("a1: {f: 1}, a2: {g: 1}, a3: {h: 1}, _b: {i: 1}, condition: 2 of them");
  t.is(matches(two, { f: 1, h: 1 }), true);
  t.is(matches(two, { f: 1, i: 1 }), false);
  t.is(matches(document("a1: {f: 1}, a2: {g: 1}, condition: 1 of a*"), { g: 1 }), true);
  t.is(matches(document("a1: {f: 1}, a2: {g: 1}, condition: all of a*"), { g: 1 }), false);
});

test("and binds more than or, not more than both; a list of conditions is alternatives", (t) => {
  const parts = "a: {f: 1}, b: {g: 1}, c: {h: 1}";
  t.is(matches(document(`${parts}, condition: a or not b and c`), { f: 1, g: 1 }), true);
  t.is(matches(document(`${parts}, condition: (a or not b) and c`), { f: 1, g: 1 }), false);
  t.is(matches(document(`${parts}, condition: [a, b]`), { g: 1 }), true);
});

test("keywords are looked for anywhere, with wildcards and all of them where asked", (t) => {
  t.is(matches(document("k: [one, 'tw*o'], condition: k"), { f: "xtwooox" }), true);
  t.is(matches(document("k: {'|all': [one, two]}, condition: k"), { f: "one two" }), true);
  t.is(matches(document("k: {'|all': [one, two]}, condition: k"), { f: "one" }), false);
  t.is(matches(document("k: [{f: a}, {g: b}], condition: k"), { g: "B" }), true);
});

const RULE = "title: R\nid: r\nlogsource: {product: linux, category: c}\ndetection: {a: {f: 1}, condition: a}\n";

test("filters narrow the rules they name", (t) => {
  const filter = (rules: string): string =>
    `${RULE}---\ntitle: F\nlogsource: {product: linux}\nfilter: {rules: ${rules}, a: {g: 2}, condition: not a}\n`;
  t.is(matches(filter("[r]"), { f: 1, g: 2 }), false);
  t.is(matches(filter("[r]"), { f: 1, g: 3 }), true);
  t.is(matches(filter("any"), { f: 1, g: 2 }), false);
  t.is(matches(filter("[other]"), { f: 1, g: 2 }), true);
});

const PIPELINES: readonly (readonly [items: string, record: Record_, expected: boolean | string])[] = [
  ["{type: field_name_mapping, mapping: {f: g}}", { g: 1 }, true],
  ["{type: field_name_mapping, mapping: {f: [g, h]}}", { h: 1 }, true],
  ["{type: field_name_prefix, prefix: x.}", { "x.f": 1 }, true],
  ["{type: field_name_suffix, suffix: .x}", { f: 1 }, false],
  ["{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [f]}]}", {}, true],
  ["{type: drop_detection_item, field_name_conditions: [{type: exclude_fields, fields: [f]}]}", {}, false],
  ["{type: add_condition, conditions: {h: 2}}", { f: 1 }, false],
  ["{type: add_condition, conditions: {h: 2}}", { f: 1, h: 2 }, true],
  ["{type: set_value, value: 5}", { f: 5 }, true],
  ["{type: rule_failure, message: no}", { f: 1 }, "SIGMA_RULE_FAILURE"],
  ["{type: rule_failure, message: no, rule_conditions: [{type: logsource, product: windows}]}", { f: 1 }, true],
  [
    "{type: set_state, key: k, val: v}, {type: field_name_prefix, prefix: x., " +
      "rule_conditions: [{type: processing_state, key: k, val: v}]}",
    { "x.f": 1 },
    true,
  ],
  ["{type: nest, items: [{type: field_name_mapping, mapping: {f: g}}]}", { g: 1 }, true],
  ["{type: hashes_fields}", { f: 1 }, "SIGMA_PIPELINE"],
];

for (const [items, record, expected] of PIPELINES) {
  test(`a pipeline ${items} on ${JSON.stringify(record)} makes it ${expected}`, (t) => {
    t.is(matches(`${RULE}---\nname: P\ntransformations: [${items}]\n`, record), expected);
  });
}

test("pipelines replace in texts and fill in placeholders from their own variables", (t) => {
  const rule = "title: R\nlogsource: {product: linux}\ndetection: {a: {f|expand: 'C:\\%v%'}, condition: a}\n";
  const items = "[{type: value_placeholders}, {type: replace_string, regex: '^C:', replacement: 'D:'}]";
  const pipeline = `---\nname: P\nvars: {v: [one, two]}\ntransformations: ${items}\n`;
  t.is(matches(rule + pipeline, { f: "d:\\two" }), true);
  t.is(matches(rule + pipeline, { f: "c:\\two" }), false);
});
