// Sigma's documents through loading: what they come to as rules, and what is said of those that are refused.
import { eventTypes } from "@nightjar/proto";
import test from "ava";
import { specialiser } from "../engine/specialise.ts";
import { loadRules } from "../files/load.ts";
import { NEVER } from "../language/expression.ts";
import { type ProblemCode, SKIPPING_CODES } from "../problem.ts";
import { SERVED } from "./logsources.ts";

function load(...texts: string[]) {
  return loadRules(texts.map((text, at) => ({ name: `${at}.yml`, text })));
}

const rule = (detection: string, logsource = "{category: process_creation, product: linux}"): string =>
  `title: T\nlogsource: ${logsource}\ndetection:\n${detection.replace(/^/gm, "  ")}\n`;

test("a rule says of itself what Falco's do", (t) => {
  const more = "id: 1-2\nname: short\nlevel: high\ntags: [attack.t1059]\ndescription: D\n";
  const { rules, problems } = load(rule("a: {Image|endswith: /nc}\ncondition: a") + more);
  t.deepEqual(problems, []);
  const [found] = rules;
  t.like(found, {
    language: "sigma",
    name: "T",
    id: "1-2",
    alias: "short",
    priority: 4,
    description: "D",
    source: "syscall",
  });
  t.deepEqual(found?.tags, ["attack.t1059"]);
  t.is(found?.place, "0.yml:1");
  t.true(found?.output.startsWith("T (Image=%Image"));
});

test("both languages load from the same folder, and correlations are about rules of both", (t) => {
  const falco = "- {rule: F, condition: evt.type = execve, desc: d, output: o, priority: INFO}\n";
  const correlation =
    "title: C\ncorrelation: {type: temporal, rules: [T, F], timespan: 1m, group-by: [user.name, proc.pid]}\n";
  const { rules, correlations, correlated, problems } = load(
    falco,
    `${rule("a: {Image: /bin/x}\ncondition: a")}---\n${correlation}`,
  );
  t.deepEqual(problems, []);
  t.deepEqual(
    rules.map(({ language, name }) => `${language} ${name}`),
    ["falco F", "sigma T"],
  );
  t.deepEqual(
    correlations.map(({ name, references }) => [name, ...references.map((one) => one.name)]),
    [["C", "T", "F"]],
  );
  t.deepEqual(
    [...correlated].map(([name, { alone }]) => [name, alone]),
    [
      ["T", false],
      ["F", true],
    ],
  );
});

const REFUSED: readonly (readonly [text: string, code: ProblemCode, line: number, column: number])[] = [
  [rule("a: {Image|foo: x}\ncondition: a"), "SIGMA_MODIFIER_UNKNOWN", 4, 18],
  [rule("a: {Image|contains|re: x}\ncondition: a"), "SIGMA_MODIFIER_CHAIN", 4, 26],
  [rule("a: {Image|re|contains|i: x}\ncondition: b"), "SIGMA_CONDITION", 5, 14],
  [rule("a: {Image|i: x}\ncondition: a"), "SIGMA_VALUE", 4, 16],
  [rule("a: {Image|re: '(?=x)'}\ncondition: a"), "SIGMA_REGEX", 4, 17],
  [rule("a: {Image|expand: '%p%'}\ncondition: a"), "SIGMA_PLACEHOLDER_UNKNOWN", 4, 21],
  [rule("a: {ProcessId|gt: x}\ncondition: a"), "SIGMA_VALUE", 4, 21],
  [rule("a: {Image|base64: 'x*'}\ncondition: a"), "SIGMA_VALUE", 4, 21],
  [rule("a: {Image|cidr: 10.0.0.0/33}\ncondition: a"), "SIGMA_VALUE", 4, 19],
  [rule("a: {Image: x}\ncondition: a | count() > 3"), "SIGMA_AGGREGATION", 5, 16],
  [rule("a: {Image: x}\ncondition: a and"), "SIGMA_CONDITION", 5, 19],
  [rule("a: {Image: x}"), "SIGMA_SHAPE", 4, 3],
  [rule("a: {Image: x}\ncondition: 1 of b*"), "SIGMA_CONDITION", 5, 14],
  [rule("a: {Image: x}\ncondition: a", "{product: windows}"), "SIGMA_LOGSOURCE_UNSERVED", 1, 1],
  [rule("a: [x]\ncondition: a", "{product: linux, service: sshd}"), "SIGMA_LOGSOURCE_UNSERVED", 1, 1],
  [rule("a: {NoSuch: x}\ncondition: a"), "SIGMA_NEVER_MATCHES", 1, 1],
  [rule("a: {type: USER_LOGIN}\ncondition: a", "{product: linux, service: auditd}"), "SIGMA_NEVER_MATCHES", 1, 1],
  [rule("a: {SYSCALL: sysinfo}\ncondition: a", "{product: linux, service: auditd}"), "SIGMA_NEVER_MATCHES", 1, 1],
];

for (const [text, code, line, column] of REFUSED) {
  test(`refused with its place: ${code} in ${JSON.stringify(text.slice(text.indexOf("detection")))}`, (t) => {
    const { rules, problems } = load(text);
    t.deepEqual(rules, []);
    const severity = SKIPPING_CODES.has(code) ? "warning" : "error";
    t.like(problems[0], { code, line, column, severity, file: "0.yml" });
  });
}

test("a field that events do not have is warned of where the rule still can match", (t) => {
  const { rules, problems } = load(rule("a: {Image: x}\nb: {NoSuch: y}\ncondition: a and not b"));
  t.is(rules.length, 1);
  t.like(problems[0], { code: "SIGMA_FIELD_UNSERVED", severity: "warning" });
});

test("placeholders are filled in, each of their values an alternative", (t) => {
  const placeholders = new Map([["shells", ["/bin/sh", "/bin/ash"]]]);
  const text = rule("a: {Image|expand: '%shells%'}\ncondition: a");
  const context = { findField: () => undefined, isEventName: () => false, sigma: { placeholders } };
  const { rules, problems } = loadRules([{ name: "r.yml", text }], context);
  t.deepEqual(problems, []);
  const [found] = rules;
  t.truthy(found && JSON.stringify(found.condition));
});

test("every logsource that the options name can be met by its event type and by no other", (t) => {
  t.true(SERVED.length > 10);
  for (const { category, type, view } of SERVED) {
    for (const { id, name } of eventTypes) {
      const possible = specialiser(id)(view.scope) !== NEVER;
      t.is(possible, id === type.id, `${category} of ${type.name} on ${name}`);
    }
  }
});
