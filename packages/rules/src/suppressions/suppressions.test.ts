// A suppression hides what its condition is true of, of its rules and no others, until it expires; a wrong one nothing.
import { BatchReader } from "@nightjar/events";
import test from "ava";
import { batchOf, open } from "../engine/batch.fixture.ts";
import { compileRules } from "../engine/engine.ts";
import { EventView } from "../engine/event-view.ts";
import { loadRules, type Rule } from "../files/load.ts";
import { loadSuppressions, SUPPRESSIONS_MAX } from "./load.ts";
import { compileSuppressions } from "./suppress.ts";

const FILE = "suppressions.yaml";
const RULES = `
- rule: Secret read
  desc: x
  condition: evt.type = openat and fd.name = /etc/shadow
  output: x
  priority: WARNING
  tags: [T1003.008]
- rule: Any open
  desc: x
  condition: evt.type = openat
  output: x
  priority: WARNING
`;
const { rules } = loadRules([{ name: "rules.yaml", text: RULES }]);
const engine = compileRules(rules);
const NOW_MS = Date.UTC(2026, 6, 1);

const load = (text: string, of: readonly Rule[] = rules) => loadSuppressions([{ name: FILE, text }], of);

/** By rule, the name of what hides an open of /etc/shadow by `program`. */
function hidden(text: string, program: string, timeMs = NOW_MS): Record<string, string | undefined> {
  const { suppressions } = load(text);
  const suppressed = compileSuppressions(suppressions);
  const bytes = batchOf(open("/etc/shadow", 0), [["x", program, program]]);
  const view = new EventView();
  view.open(new BatchReader(bytes));
  return Object.fromEntries(
    engine.matchBatch(bytes).map(({ rule, eventIndex }) => {
      view.select(eventIndex);
      return [rule.name, suppressed(rule, view, timeMs)?.name];
    }),
  );
}

const BACKUP = `
- suppression: the backup
  rules: Secret*
  condition: proc.exepath = /usr/bin/backup
  reason: It reads everything.
  expires: 2026-12-31
  author: the operators
`;

test("the named rules are hidden where the condition is true, and only then", (t) => {
  t.deepEqual(hidden(BACKUP, "/usr/bin/backup"), { "Secret read": "the backup", "Any open": undefined });
  t.deepEqual(hidden(BACKUP, "/usr/bin/cat"), { "Secret read": undefined, "Any open": undefined });
});

test("rules are found by tag, too, and the first that hides is told", (t) => {
  const byTag = BACKUP.replace("rules: Secret*", "tags: [T1003.008]").replace("the backup", "by tag");
  t.is(hidden(byTag, "/usr/bin/backup")["Secret read"], "by tag");
  t.is(hidden(`${byTag}${BACKUP}`, "/usr/bin/backup")["Secret read"], "by tag");
});

test("it hides to the end of its last day, by the time of the event", (t) => {
  const end = Date.UTC(2027, 0, 1);
  t.is(hidden(BACKUP, "/usr/bin/backup", end - 1)["Secret read"], "the backup");
  t.is(hidden(BACKUP, "/usr/bin/backup", end)["Secret read"], undefined);
  const moment = BACKUP.replace("2026-12-31", "2026-12-31T12:00:00+02:00");
  t.is(load(moment).suppressions[0]?.expiresMs, Date.UTC(2026, 11, 31, 10));
});

const WRONG: readonly (readonly [what: string, text: string, code: string, line: number, column: number])[] = [
  ["no YAML", "- suppression: [\n", "LOAD_ERR_YAML_PARSE", 2, 1],
  ["no list", "suppression: x\n", "SUPPRESSION_INVALID", 1, 1],
  ["no mapping", "- x\n", "SUPPRESSION_INVALID", 1, 3],
  ["no name", BACKUP.replace("suppression:", "author:"), "SUPPRESSION_INVALID", 2, 3],
  ["a name twice", `${BACKUP}${BACKUP}`, "SUPPRESSION_INVALID", 9, 16],
  ["no reason", BACKUP.replace(/ {2}reason.*\n/, ""), "SUPPRESSION_INVALID", 2, 3],
  ["no rules", BACKUP.replace(/ {2}rules.*\n/, ""), "SUPPRESSION_INVALID", 2, 3],
  ["no condition", BACKUP.replace(/ {2}condition.*\n/, ""), "SUPPRESSION_INVALID", 2, 3],
  ["an unknown key", BACKUP.replace("author", "auhtor"), "SUPPRESSION_INVALID", 7, 3],
  ["an unknown field", BACKUP.replace("exepath", "exepaht"), "SUPPRESSION_CONDITION", 4, 14],
  ["no date", BACKUP.replace("2026-12-31", "next year"), "SUPPRESSION_INVALID", 6, 12],
  ["an impossible date", BACKUP.replace("2026-12-31", "2026-13-31"), "SUPPRESSION_INVALID", 6, 12],
];

for (const [what, text, code, line, column] of WRONG) {
  test(`${what} is refused with its place`, (t) => {
    const { problems, suppressions } = load(text);
    t.is(suppressions.length, what === "a name twice" ? 1 : 0);
    t.deepEqual(
      problems.map((one) => [one.code, one.severity, one.line, one.column]),
      [[code, "error", line, column]],
    );
  });
}

test("one that speaks of no rule is warned of", (t) => {
  const { problems, suppressions } = load(BACKUP.replace("Secret*", "Sercet*"));
  t.is(suppressions.length, 1);
  t.deepEqual(
    problems.map(({ code, severity }) => [code, severity]),
    [["SUPPRESSION_NO_RULE", "warning"]],
  );
});

test("there is a limit", (t) => {
  const many = Array.from({ length: SUPPRESSIONS_MAX + 1 }, (_, at) => BACKUP.replace("the backup", `backup ${at}`));
  const { problems, suppressions } = load(many.join(""));
  t.is(suppressions.length, SUPPRESSIONS_MAX);
  t.is(problems.length, 1);
});
