// Rules files: what is refused, with its exact place and code; and how later items change earlier ones.
import test from "ava";
import fc from "fast-check";
import { print } from "../language/print.ts";
import type { ProblemCode } from "../problem.ts";
import { type LoadResult, loadRules } from "./load.ts";

const RULE = `- rule: R
  desc: d
  condition: evt.type = open
  output: o %proc.name
  priority: INFO
`;

function load(...texts: string[]): LoadResult {
  return loadRules(texts.map((text, at) => ({ name: `${at}.yaml`, text })));
}

/** What a file is, and each problem it gives: code, line, column, a part of the message. */
type Expected = readonly [code: ProblemCode, line: number, column: number, message: string];

/** Faults of a check that stands behind "evt.type = open and ". */
function faultsOfConditions(
  rows: readonly (readonly [what: string, check: string, column: number, message: string])[],
) {
  return rows.map(([what, check, column, message]) => {
    const text = RULE.replace("= open", `= open and ${check}`);
    return [what, text, ["LOAD_ERR_COMPILE_CONDITION", 3, column, message]] as const;
  });
}

const PROBLEMS: readonly (readonly [what: string, text: string, ...expected: Expected[]])[] = [
  ["no YAML", "a: [b\n", ["LOAD_ERR_YAML_PARSE", 2, 1, "Flow sequence in block collection"]],
  ["a mapping", "a: b\n", ["LOAD_ERR_YAML_VALIDATE", 1, 1, "Rules content is not yaml array of objects"]],
  ["a text", "hello\n", ["LOAD_ERR_YAML_VALIDATE", 1, 1, "Rules content is not yaml"]],
  ["a text as item", "- hello\n", ["LOAD_ERR_YAML_VALIDATE", 1, 3, "Unexpected element type"]],
  ["an unknown item", "- thing: x\n", ["LOAD_UNKNOWN_ITEM", 1, 3, "Unknown top level item"]],
  ["an unknown key", `${RULE}  colour: red\n`, ["LOAD_UNKNOWN_ITEM", 6, 3, "Unknown key 'colour'"]],
  [
    "a rule without output",
    "- rule: R\n  desc: d\n  condition: a\n  priority: INFO\n",
    ["LOAD_ERR_YAML_VALIDATE", 1, 3, "Item has no mapping for key 'output'"],
  ],
  ["a bad priority", RULE.replace("INFO", "HIGH"), ["LOAD_ERR_YAML_VALIDATE", 5, 13, "Invalid priority"]],
  [
    "a syntax error",
    RULE.replace("= open", "= open andx"),
    ["LOAD_ERR_COMPILE_CONDITION", 3, 33, "expected blank or '(' after 'and'"],
  ],
  [
    "a syntax error in folded text",
    RULE.replace("evt.type = open", ">\n    evt.type = open\n    and or\n      b"),
    ["LOAD_ERR_COMPILE_CONDITION", 6, 7, "unexpected token after 'or'"],
  ],
  [
    "an unknown field",
    RULE.replace("= open", "= open and proc.nme = x"),
    ["LOAD_ERR_COMPILE_CONDITION", 3, 34, "nonexistent field proc.nme"],
  ],
  [
    "an unknown event type",
    RULE.replace("= open", "in (open, opne)"),
    ["LOAD_ERR_COMPILE_CONDITION", 3, 33, "unknown event type opne"],
  ],
  [
    "an operator the type lacks",
    RULE.replace("= open", "= open and fd.num contains 3"),
    ["LOAD_ERR_COMPILE_CONDITION", 3, 34, "'contains' operator not supported for numeric filters"],
  ],
  [
    "a number that is none",
    RULE.replace("= open", "= open and fd.num = three"),
    ["LOAD_ERR_COMPILE_CONDITION", 3, 43, "'three' is not a valid number"],
  ],
  [
    "a look-around",
    RULE.replace("= open", "= open and proc.name regex '(?=a)b'"),
    ["LOAD_ERR_COMPILE_CONDITION", 3, 50, "RE2 has no look-around"],
  ],
  [
    "a bad address",
    RULE.replace("= open", "= connect and fd.sip = 1.2.3.400"),
    ["LOAD_ERR_COMPILE_CONDITION", 3, 46, "unrecognized IP address 1.2.3.400"],
  ],
  [
    "an undefined macro",
    RULE.replace("= open", "= open and nowhere"),
    ["LOAD_ERR_VALIDATE", 3, 34, "Undefined macro 'nowhere' used in filter."],
  ],
  [
    "a fault in a macro, told where it is",
    `- macro: m\n  condition: proc.nme = x\n${RULE.replace("open", "open and m")}`,
    ["LOAD_ERR_COMPILE_CONDITION", 2, 14, "nonexistent field proc.nme"],
  ],
  [
    "a macro that names itself",
    `- macro: m\n  condition: a.b = 1 or m\n${RULE.replace("open", "open and m")}`,
    ["LOAD_ERR_VALIDATE", 2, 25, "Undefined macro 'm' used in filter."],
    ["LOAD_ERR_VALIDATE", 2, 25, "Undefined macro 'm' used in filter."],
  ],
  [
    "macros that hold one another",
    "- macro: m\n  condition: evt.type = open\n- macro: n\n  condition: m\n- macro: m\n  condition: n\n",
    ["LOAD_ERR_VALIDATE", 6, 14, "reference loop in macro 'n'"],
    ["LOAD_ERR_VALIDATE", 4, 14, "reference loop in macro 'n'"],
  ],
  [
    "an undefined macro in one that no rule uses",
    "- macro: m\n  condition: proc.nme = x and nowhere\n",
    ["LOAD_ERR_VALIDATE", 2, 31, "Undefined macro 'nowhere' used in filter."],
    ["LOAD_UNUSED_MACRO", 1, 3, "Macro not referred to"],
  ],
  [
    "an unknown field in an output",
    RULE.replace("%proc.name", "and %proc.nme"),
    ["LOAD_ERR_COMPILE_OUTPUT", 4, 17, "invalid formatting token proc.nme"],
  ],
  [
    "a rule for all events",
    RULE.replace("evt.type = open", "proc.name = x"),
    ["LOAD_NO_EVTTYPE", 1, 3, "too many evt.type"],
  ],
  [
    "a source no one provides",
    `${RULE}  source: k8s_audit\n`,
    ["LOAD_UNKNOWN_SOURCE", 1, 3, "Unknown source k8s_audit"],
  ],
  ["an unused list", `- list: l\n  items: [a]\n${RULE}`, ["LOAD_UNUSED_LIST", 1, 3, "List not referred to"]],
  [
    "an unused macro",
    `- macro: m\n  condition: evt.type = open\n${RULE}`,
    ["LOAD_UNUSED_MACRO", 1, 3, "Macro not referred to"],
  ],
  [
    "a macro no condition can name",
    `- macro: a-b\n  condition: evt.type = open\n${RULE}`,
    ["LOAD_INVALID_MACRO_NAME", 1, 10, "Macro has an invalid name"],
    ["LOAD_UNUSED_MACRO", 1, 3, "Macro not referred to"],
  ],
  [
    "append to nothing",
    "- list: l\n  items: [a]\n  override:\n    items: append\n",
    ["LOAD_ERR_VALIDATE", 1, 3, "no list by that name already exists"],
  ],
  [
    "a future engine",
    "- required_engine_version: 0.99.0\n",
    ["LOAD_ERR_VALIDATE", 1, 28, "Rules require engine version 0.99.0"],
  ],
  [
    "no version",
    "- required_engine_version: new\n",
    ["LOAD_ERR_YAML_VALIDATE", 1, 28, "Unable to parse engine version 'new'"],
  ],
  [
    "a deprecated field",
    RULE.replace("= open", "= open and evt.dir = <"),
    ["LOAD_DEPRECATED_ITEM", 3, 14, "deprecated field 'evt.dir'"],
  ],
  [
    "a deprecated field in a macro",
    `- macro: m\n  condition: evt.dir = <\n${RULE.replace("= open", "= open and m")}`,
    ["LOAD_DEPRECATED_ITEM", 5, 14, "deprecated field 'evt.dir'"],
  ],
  [
    "a deprecated field in an output",
    RULE.replace("%proc.name", "%tolower(proc.name) %evt.dir"),
    ["LOAD_DEPRECATED_ITEM", 4, 11, "deprecated field 'evt.dir' has been detected in the rule output"],
  ],
  ...faultsOfConditions([
    ["join with one text", "join('-', proc.name) = a", 44, "argument 2 of transformer 'join' must be a list"],
    ["join by a list", "join(('a', 'b'), (proc.name)) = a", 39, "argument 1 of transformer 'join' must not be a list"],
    ["concat of one", "concat(proc.name) = a", 34, "transformer 'concat' does not take 1 arguments"],
    ["concat of a number", "concat(proc.name, fd.num) = a", 52, "transformer 'concat' does not support a int"],
    ["getopt of a literal", "getopt('-a', 'a') exists", 41, "argument 1 of transformer 'getopt' must be a list"],
    ["getopt of two letters", "getopt(proc.args, 'ab')[ab] = a", 34, "must be a single option character"],
    ["upper case in brackets", "toupper(proc.name)[a] = a", 34, "'toupper' does not support field arguments"],
    ["the length of a number", "len(fd.num) = 1", 38, "transformer 'len' does not support a int"],
    ["paths of another field", "fd.name pmatch val(proc.name)", 34, "'pmatch' takes what is written down"],
    ["a list as one value", "proc.name = getopt(('a'), 'a')", 46, "'=' cannot compare with a list"],
    ["a broken double", "proc.fdusage = 1.5", 49, "'1.5' is not a valid number"],
  ]),
  [
    "a capture that has no length",
    `${RULE}  capture: true\n  capture_duration: soon\n`,
    ["LOAD_ERR_YAML_VALIDATE", 7, 21, "Can't decode YAML scalar value"],
  ],
  [
    "a field as a string, with blanks",
    RULE.replace("= open", "= open and proc.name = 'proc.aname [2] '"),
    ["LOAD_COMPILE_CONDITION", 3, 46, "'proc.aname [2] ' may be a valid field misused as a const string value"],
  ],
  [
    "a transformer as a string",
    RULE.replace("= open", "= open and proc.name = 'toupper( proc.name)'"),
    ["LOAD_COMPILE_CONDITION", 3, 46, "'toupper( proc.name)' may be a valid field transformer misused"],
  ],
  [
    "a pattern that needs no engine",
    RULE.replace("= open", "= open and proc.name regex '.*sh'"),
    ["LOAD_COMPILE_CONDITION", 3, 50, "regex check with '.*sh' may be optimized"],
  ],
  [
    "a field as a string",
    RULE.replace("= open", "= open and proc.name = proc.pname"),
    ["LOAD_COMPILE_CONDITION", 3, 46, "'proc.pname' may be a valid field misused as a const string value"],
  ],
];

for (const [what, text, ...expected] of PROBLEMS) {
  test(`${what} is told of with its place`, (t) => {
    const found = load(text).problems.map(({ code, line, column, message, file }) => ({
      code,
      line,
      column,
      message,
      file,
    }));
    t.deepEqual(
      found.map(({ code, line, column }) => [code, line, column]),
      expected.map(([code, line, column]) => [code, line, column]),
      JSON.stringify(found, undefined, 1),
    );
    for (const [at, [, , , message]] of expected.entries())
      t.true(found[at]?.message.includes(message), found[at]?.message);
    t.true(found.every(({ file }) => file === "0.yaml"));
  });
}

test("a file with a mistake does not keep the other rules from loading", (t) => {
  const { rules, problems } = load(
    `${RULE}${RULE.replace("R", "Bad").replace("= open", "= opne")}`,
    "a: [b",
    RULE.replace("R", "S"),
  );
  t.deepEqual(
    rules.map(({ name }) => name),
    ["R", "S"],
  );
  t.deepEqual(
    problems.map(({ file, code }) => [file, code]),
    [
      ["1.yaml", "LOAD_ERR_YAML_PARSE"],
      ["0.yaml", "LOAD_ERR_COMPILE_CONDITION"],
    ],
  );
});

/** What later items make of the rule R: its condition, or another part. */
const CHANGES: readonly (readonly [
  what: string,
  change: string,
  part: "condition" | "output" | "tags" | "enabled" | "priority",
  expected: unknown,
])[] = [
  [
    "append",
    "- rule: R\n  append: true\n  condition: and a.b\n".replace("a.b", "proc.pid = 1"),
    "condition",
    "evt.type = open and proc.pid = 1",
  ],
  [
    "override append",
    "- rule: R\n  condition: or evt.type = creat\n  override:\n    condition: append\n",
    "condition",
    "evt.type = open or evt.type = creat",
  ],
  [
    "override replace",
    "- rule: R\n  condition: evt.type = creat\n  override:\n    condition: replace\n",
    "condition",
    "evt.type = creat",
  ],
  ["output", "- rule: R\n  output: more\n  override:\n    output: append\n", "output", "o %proc.name more"],
  ["tags", "- rule: R\n  tags: [x, y]\n  override:\n    tags: append\n", "tags", ["x", "y"]],
  ["priority", "- rule: R\n  priority: critical\n  override:\n    priority: replace\n", "priority", 3],
  ["enabled", "- rule: R\n  enabled: false\n", "enabled", false],
  ["defined anew", RULE.replace("open", "creat"), "condition", "evt.type = creat"],
];

for (const [what, change, part, expected] of CHANGES) {
  test(`a later item changes a rule: ${what}`, (t) => {
    const { rules, problems } = load(RULE, change);
    t.deepEqual(
      problems.filter(({ severity }) => severity === "error"),
      [],
    );
    t.is(rules.length, 1);
    t.deepEqual(rules[0]?.[part], expected);
  });
}

test("lists are put in as text, earlier ones into later ones", (t) => {
  const lists = "- list: a\n  items: [x, 'y z']\n- list: b\n  items: [a, w]\n- list: none\n  items: []\n";
  const { rules } = load(
    lists + RULE.replace("= open", "= open and proc.name in (q, b, none) and proc.pname in (none)"),
  );
  t.is(rules[0]?.condition, 'evt.type = open and proc.name in (q, x, "y z", w   ) and proc.pname in (  )');
});

test("exceptions become conditions", (t) => {
  const exceptions = `  exceptions:
    - name: one
      fields: proc.name
      values: [a, b c]
    - name: two
      fields: [proc.name, fd.name]
      comps: [=, startswith]
      values:
        - [a, /b]
        - [c, /d]
    - name: none
      fields: [proc.name]
`;
  const { rules, problems } = load(RULE + exceptions);
  t.deepEqual(problems, []);
  t.is(
    rules[0]?.condition,
    '(evt.type = open) and not (proc.name in (a, "b c")) and not ' +
      "(( proc.name = a and fd.name startswith /b) or ( proc.name = c and fd.name startswith /d))",
  );
});

test("comparisons of exceptions may have blanks around them, and quantifiers", (t) => {
  const exceptions = `  exceptions:
    - name: one
      fields: [proc.name]
      comps: [" startswith oneof "]
      values:
        - [[a, b]]
        - [c]
`;
  const { rules, problems } = load(RULE + exceptions);
  t.deepEqual(problems, []);
  t.is(
    rules[0]?.tree && print(rules[0].tree),
    "(evt.type = open and not (proc.name startswith oneof (a, b) or proc.name startswith oneof (c)))",
  );
});

test("a rule's tree has its macros put in, as they stand in the end", (t) => {
  const { rules } = load(
    "- macro: m\n  condition: proc.name = a\n- macro: n\n  condition: not m\n",
    RULE.replace("open", "open and n and (m or fd.num = 1)"),
    "- macro: m\n  condition: or proc.name = b\n  override:\n    condition: append\n",
  );
  t.is(
    rules[0]?.tree && print(rules[0].tree),
    "(evt.type = open and not (proc.name = a or proc.name = b) and ((proc.name = a or proc.name = b) or fd.num = 1))",
  );
});

test("a rule that never holds is no rule for all events", (t) => {
  t.deepEqual(load(RULE.replace("evt.type = open", "evt.num=0")).problems, []);
  t.is(load(RULE.replace("evt.type = open", "not evt.num = 0")).problems[0]?.code, "LOAD_NO_EVTTYPE");
});

test("a rule may ask to be skipped where something is unknown", (t) => {
  const { rules, problems } = load(
    `${RULE.replace("= open", "= open and proc.nme = x")}  skip-if-unknown-filter: true\n`,
  );
  t.deepEqual(rules, []);
  t.deepEqual(
    problems.map(({ code, severity }) => [code, severity]),
    [["LOAD_UNKNOWN_FILTER", "warning"]],
  );
});

test("macros that double in each step are refused, and at once", (t) => {
  const lines = ["- macro: m0\n  condition: (proc.pid = 1 or proc.pid = 2)\n"];
  for (let at = 1; at <= 40; at++) lines.push(`- macro: m${at}\n  condition: (m${at - 1} and not m${at - 1})\n`);
  const { rules, problems } = load(lines.join("") + RULE.replace("open", "open and m40"));
  t.deepEqual(rules, []);
  t.deepEqual(
    problems.filter(({ severity }) => severity === "error").map(({ code }) => code),
    ["RULES_TOO_LARGE"],
  );
});

test("lists that double in each step are refused, and at once", (t) => {
  const ahead = ["- list: l0\n  items: [a, b]\n"];
  const behind: string[] = [];
  for (let at = 1; at <= 60; at++) {
    ahead.push(`- list: l${at}\n  items: [l${at - 1}, l${at - 1}]\n`);
    behind.push(`- list: k${at}\n  items: [k${at + 1}, k${at + 1}]\n`);
  }
  const start = performance.now();
  for (const [lists, name] of [
    [ahead, "l60"],
    [behind, "k1"],
  ] as const) {
    const { rules, problems } = load(lists.join("") + RULE.replace("open", `open and proc.name in (${name})`));
    const errors = problems.filter(({ severity }) => severity === "error").map(({ code }) => code);
    t.true(rules.length === 0 ? errors[0] === "RULES_TOO_LARGE" : (rules[0]?.condition.length ?? 0) < 200_000);
  }
  t.true(performance.now() - start < 5000);
});

test("macros in macros count as nesting", (t) => {
  const lines = ["- macro: m0\n  condition: proc.pid = 1\n"];
  for (let at = 1; at <= 1100; at++) lines.push(`- macro: m${at}\n  condition: not (proc.pid = 2 and m${at - 1})\n`);
  const { problems } = load(lines.join("") + RULE.replace("open", "open and m1100"));
  t.regex(problems.find(({ severity }) => severity === "error")?.message ?? "", /max depth/);
});

test("no file crashes or hangs the loader", (t) => {
  const piece = fc.constantFrom(
    "- rule: R\n",
    "  condition: ",
    "evt.type = open",
    "  desc: d\n",
    "- list: l\n",
    "  items: [",
    "]",
    "a, ",
    "&x ",
    "*x",
    "\n",
    "  ",
    "{",
    "}",
    ": ",
    "- ",
    "  exceptions:\n",
    "    - name: e\n",
    "      fields: [proc.name]\n",
    "      values: [[",
    "|\n",
    ">\n",
    '"',
    "'",
    "\t",
    "!!x ",
    "---\n",
    "%",
    "l",
    "m",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
      const { rules, problems } = load(pieces.join(""));
      return rules.length >= 0 && problems.every(({ line, column }) => line >= 1 && column >= 1);
    }),
    { numRuns: 500 },
  );
  t.is(load("[".repeat(10_000)).problems[0]?.code, "LOAD_ERR_YAML_PARSE");
  t.is(load(`${"- ".repeat(5_000)}x`).problems[0]?.code, "LOAD_ERR_YAML_PARSE");
});
