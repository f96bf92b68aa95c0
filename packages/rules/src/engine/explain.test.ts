// Why a rule is true of an event, or not: the parts that decided, with what they saw and where they stand.
import { BatchReader } from "@nightjar/events";
import test from "ava";
import fc from "fast-check";
import { loadRules } from "../files/load.ts";
import type { Expression } from "../language/expression.ts";
import { batchOf, open } from "./batch.fixture.ts";
import { type Explanation, explain, explainerOf } from "./explain.ts";

const RULES = `
- list: shells
  items: [bash, sh]
- macro: opened
  condition: >
    (evt.type in (open, openat)
     and fd.num >= 0)
- rule: Read
  desc: d
  condition: >
    opened and (fd.name startswith /etc/
      or proc.name in (shells))
    and not proc.pname = sshd
  output: o
  priority: INFO
`;

const batch = new BatchReader(
  batchOf(open("/etc/hosts", 0), [
    ["cat", "/usr/bin/cat", "cat"],
    ["bash", "/usr/bin/bash", "bash"],
  ]),
);

function lines({ parts }: Explanation): string[] {
  return parts.map(({ depth, kind, holds, test: written, seen, place }) => {
    const values = (seen ?? []).map(({ field, value, reason }) => `${field}=${value ?? `? ${reason ?? ""}`}`).join(" ");
    const at = place ? ` @${place.file}:${place.line}:${place.column}` : "";
    return `${"  ".repeat(depth)}${holds ? "+" : "-"} ${written ? `${written} [${values}]${at}` : kind}`;
  });
}

function explained(text: string): string[] {
  const { rules, problems } = loadRules([{ name: "r.yaml", text }]);
  const errors = problems.filter(({ severity }) => severity === "error");
  const [rule] = rules;
  if (!rule || errors.length > 0) throw new Error(JSON.stringify(errors));
  return lines(explainerOf(batch)(rule, 0));
}

const one = (condition: string): string[] =>
  explained(`- {rule: R, desc: d, output: o, priority: INFO, condition: '${condition}'}`);

test("of a rule that is true: what made it so, with values, and places also of its macros", (t) => {
  t.deepEqual(explained(RULES), [
    "+ all",
    "  + evt.type in (open, openat) [evt.type=openat] @r.yaml:6:6",
    "  + fd.num >= 0 [fd.num=3] @r.yaml:7:10",
    "  + any",
    "    + fd.name startswith /etc/ [fd.name=/etc/hosts] @r.yaml:11:17",
    "  + not",
    "    - proc.pname = sshd [proc.pname=bash] @r.yaml:13:13",
  ]);
});

test("of a rule that is not: the parts that were false", (t) => {
  t.deepEqual(one("evt.type = openat and (fd.name = /a or proc.name = b) and fd.num < 9"), [
    "- all",
    "  - any",
    "    - fd.name = /a [fd.name=/etc/hosts] @r.yaml:1:84",
    "    - proc.name = b [proc.name=cat] @r.yaml:1:100",
  ]);
  t.deepEqual(one("not (evt.type = openat and proc.name = cat)"), [
    "- not",
    "  + all",
    "    + evt.type = openat [evt.type=openat] @r.yaml:1:66",
    "    + proc.name = cat [proc.name=cat] @r.yaml:1:88",
  ]);
});

test("a value that is missing says so, and why no event has it", (t) => {
  t.deepEqual(one("fd.cip = 1.2.3.4"), ["- fd.cip = 1.2.3.4 [fd.cip=? ] @r.yaml:1:61"]);
  t.regex(one("k8s.svc.name = x")[0] ?? "", /k8s.svc.name=\? services are not asked for/);
});

test("a huge condition is explained in part, and says how much is left out", (t) => {
  const names = Array.from({ length: 500 }, (_, at) => `proc.name = n${at}`).join(" or ");
  const { rules } = loadRules([
    { name: "r.yaml", text: `- {rule: R, desc: d, output: o, priority: INFO, condition: '${names}'}` },
  ]);
  const explanation = explainerOf(batch)(rules[0] as (typeof rules)[0], 0);
  t.true(explanation.parts.length < 100);
  t.is(explanation.parts.length + explanation.omitted, 501);
});

const tree = fc.letrec<{ node: Expression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.boolean().map((value): Expression => ({ kind: "constant", value })),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const, "exactly-one" as const),
      parts: fc.array(tie("node"), { maxLength: 4 }),
    }),
    tie("node").map((part): Expression => ({ kind: "not", part })),
  ),
})).node;

/** What the parts that are shown come to by themselves. */
function worth({ parts }: Explanation): boolean {
  let at = 0;
  const next = (depth: number): boolean => {
    const part = parts[at++];
    if (!part || part.depth !== depth) throw new Error(`no part at depth ${depth}`);
    const inner: boolean[] = [];
    while (parts[at]?.depth === depth + 1) inner.push(next(depth + 1));
    if (part.kind === "constant") return part.holds;
    if (part.kind === "not") return !inner[0];
    if (part.kind === "all") return inner.every(Boolean);
    return part.kind === "any" ? inner.some(Boolean) : inner.filter(Boolean).length === 1;
  };
  return next(0);
}

test("the parts that are shown are enough for the answer, whatever the condition", (t) => {
  fc.assert(
    fc.property(tree, (expression) => {
      const explanation = explain(expression, () => undefined);
      if (explanation.omitted === 0) t.is(worth(explanation), explanation.parts[0]?.holds as boolean);
    }),
  );
});
