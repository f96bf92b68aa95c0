// The starter rules: each matches what it is for, and is silent about what a host does all day.
import { readFileSync } from "node:fs";
import { compileRules, encodeBrief, judge, loadRules, readEventFile, readTestFile } from "@nightjar/rules";
import test from "ava";

const FILE = "nightjar.yaml";
const TESTS = "nightjar.test.yaml";
const read = (name: string): string => readFileSync(new URL(`../rules/${name}`, import.meta.url), "utf8");

const text = read(FILE);
const { rules, problems, correlations, correlated } = loadRules([{ name: FILE, text }]);
const engine = compileRules(rules);
const written = readTestFile(TESTS, read(TESTS));

test("they load without a problem, each with a description, tags and its ancestors in the output", (t) => {
  t.deepEqual(problems, []);
  t.is(rules.length, 8);
  for (const rule of rules) {
    t.true(rule.enabled && rule.description.length > 80, rule.name);
    t.true(
      rule.tags.some((tag) => /^T\d{4}(\.\d{3})?$/.test(tag)),
      rule.name,
    );
    t.true(rule.output.includes("%proc.aname[2]"), rule.name);
  }
  t.true(text.split("\n").length <= 500);
});

test("their tests can be read", (t) => {
  t.deepEqual(written.problems, []);
  t.true(written.tests.length >= 59);
});

for (const one of written.tests) {
  test(`${one.name}: ${one.match.join(", ") || "silence"}`, (t) => {
    const { bytes, problems: unmade } = encodeBrief(one.events);
    t.deepEqual(unmade, []);
    t.deepEqual(judge(one, { engine, correlations, correlated }, [bytes as Uint8Array]), []);
  });
}

test("what is said names the file, the program and its ancestors", (t) => {
  const { events } = readEventFile("", "{type: open, fd.name: /etc/shadow, process: [/usr/bin/cat, /etc/shadow]}");
  const [match] = engine.matchBatch(encodeBrief(events).bytes as Uint8Array);
  t.is(
    match?.output,
    "Secret file read by an unexpected program (file=/etc/shadow program=/usr/bin/cat command=cat /etc/shadow " +
      "parent=bash ancestors=sshd<sshd<systemd user=root login=<NA> tty=0 directory=/root)",
  );
});
