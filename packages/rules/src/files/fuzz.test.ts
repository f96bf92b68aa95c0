// Rule files of ten kilobytes made of pieces of both languages: none crashes the loader, and none holds it up.
import test from "ava";
import fc from "fast-check";
import { compileRules } from "../engine/engine.ts";
import { interestOf, wishesOf } from "../interest/interest.ts";
import { loadRules } from "./load.ts";

const FILE_CHARACTERS = 10_000;
const FILES = 150;
/** A hang, not a measure of speed: an ordinary file of this size takes some ms, and a hundred are the aim. */
const HANG_CPU_MS = 5_000;

/** What conditions are made of. */
const WORDS = fc.constantFrom(
  ...[
    "evt.type = open",
    "fd.name startswith /etc",
    "proc.name in (l, a)",
    "m",
    "m2",
    "(",
    ")",
    " and ",
    " or ",
    "not ",
  ],
  ...["proc.args regex '(x+x+)+y'", "fd.name glob '*a*b*c*d*e*f'", "tolower(", "val(", "evt.arg[", "]", ", ", "exists"],
  ...["evt.type = execve and ", "proc.aname[2] = x", " in (", "oneof (", "'", '"', "\\", "1 of s*", "all of them", "s"],
);
const condition = fc.oneof(
  fc.constantFrom("evt.type = open and m", "evt.type = execve and proc.name in (l)", "s and not s2", "1 of s*"),
  fc.array(WORDS, { minLength: 1, maxLength: 12 }).map((words) => words.join("")),
);
const key = fc.constantFrom("append: true", "enabled: false", "override: {condition: append}", "tags: [a]", "x: y", "");
const modifiers = fc.constantFrom(
  "",
  "contains",
  "contains|all",
  "re",
  "re|i",
  "endswith",
  "base64offset|contains",
  "x",
);
const patterns = fc.constantFrom("a*b?c", "(a+)+$", "\\*", "%x%", "", "10.0.0.0/8", "5", "/etc/passwd");

/** Whole items: every key is there, and what stands in it may be anything. */
const falcoItem = fc.oneof(
  fc.tuple(condition, key, fc.nat(9)).map(([text, more, at]) => {
    const rest = `output: o %fd.name\n  priority: INFO\n  ${more}\n`;
    return `- rule: R${at}\n  desc: d\n  condition: ${JSON.stringify(text)}\n  ${rest}`;
  }),
  condition.map((text) => `- macro: m\n  condition: ${JSON.stringify(text)}\n`),
  condition.map((text) => `- macro: m2\n  condition: m or ${JSON.stringify(text)}\n`),
  fc.constantFrom("- list: l\n  items: [a, b, l2, 'c d']\n", "- list: l2\n  items: [l, l]\n"),
);
const sigmaDocument = fc.tuple(condition, modifiers, patterns, fc.nat(9)).map(([text, chain, pattern, at]) => {
  const field = JSON.stringify(chain === "" ? "CommandLine" : `CommandLine|${chain}`);
  return [
    `title: T${at}\nlevel: high\nlogsource: {product: linux, category: process_creation}\ndetection:`,
    `  s: {${field}: ${JSON.stringify(pattern)}}\n  s2: [{Image: x}, word]\n  condition: ${JSON.stringify(text)}\n`,
  ].join("\n");
});
const correlation = fc.constantFrom("event_count", "temporal", "value_count", "x").map((type) => {
  const body = `type: ${type}, rules: [T1, T2], group-by: [User], timespan: 5m, condition: {gte: 3}`;
  return `title: C\ncorrelation: {${body}}\n`;
});
/** What breaks a file in the middle of anything. */
const debris = fc.array(
  fc.oneof(
    fc.constantFrom("  ", "\n", "- ", ": ", "[", "]", "{", "}", '"', "'", "|\n", ">-\n", "&a ", "*a", "<<: ", "!!x "),
    fc.constantFrom("#", "%", "\0", "é", "\u{1f426}", "---\n", "...\n", "null", "~", "? "),
    fc.constantFrom("- rule: R\n", "title: x\n"),
    fc.string(),
  ),
);

const many = { minLength: 1, maxLength: 120, size: "max" } as const;
const file = fc.oneof(
  fc.array(falcoItem, many).map((items) => items.join("")),
  fc.array(fc.oneof(sigmaDocument, correlation), many).map((documents) => documents.join("---\n")),
  fc
    .array(
      fc.oneof(
        falcoItem,
        sigmaDocument,
        debris.map((parts) => parts.join("")),
      ),
      many,
    )
    .map((all) => all.join("")),
);

test(`${FILES} fuzzed files load, are refused or told of, and none takes long`, (t) => {
  let slowestMs = 0;
  let characters = 0;
  let loaded = 0;
  fc.assert(
    fc.property(file, (whole) => {
      const text = whole.slice(0, FILE_CHARACTERS);
      const before = process.cpuUsage();
      const { rules, problems } = loadRules([{ name: "fuzz.yaml", text }]);
      interestOf(wishesOf(rules), "fuzz", "");
      compileRules(rules);
      const { user, system } = process.cpuUsage(before);
      const ms = (user + system) / 1_000;
      slowestMs = Math.max(slowestMs, ms);
      characters += text.length;
      loaded += rules.length;
      if (ms > HANG_CPU_MS) throw new Error(`took ${ms} ms`);
      return problems.every(({ line, column, file: name }) => name === "fuzz.yaml" && line >= 1 && column >= 1);
    }),
    { numRuns: FILES },
  );
  t.log(`${characters} characters, ${loaded} rules; the slowest file took ${Math.round(slowestMs)} ms of CPU`);
  t.true(loaded > 0, "some of the files hold rules that load");
});
