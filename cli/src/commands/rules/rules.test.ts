// The commands for those who write rules, over files in a folder of their own.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ConnectSchema, DetectionSchema, type Event, EventSchema, StoredDetectionSchema } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import type { Log } from "sarif";
import { exitCodes } from "../../exit-codes.ts";
import { detectionJson } from "../../show/detection.ts";
import { batchJson } from "../../show/events.ts";
import { fromPlain } from "../../show/from-plain.ts";
import { toPlain } from "../../show/plain.ts";
import { runCli, sampleBatch } from "../../testing.ts";

const RULES = `- rule: Hosts read
  desc: d
  condition: evt.type in (open, openat) and fd.name = /etc/hosts and not user.name = root
  output: o
  priority: WARNING
  tags: [T1016, mitre_discovery]
`;
const BROKEN = `- rule: Broken
  desc: d
  condition: evt.type = open and fd.nmae = x
  output: o
  priority: INFO
`;
const RECORDING = join(import.meta.dirname, "../../../../tests/pipeline/attacks.njr");

interface Folder {
  file: (name: string, text?: string) => string;
  /** Runs `nightjar rules …` with a state folder of its own. */
  rules: (...args: string[]) => ReturnType<typeof runCli>;
  state: string;
}

function folderOf(t: ExecutionContext): Folder {
  const folder = temporaryFolder(t);
  const state = join(folder, "state");
  return {
    state,
    file: (name, text) => {
      if (text !== undefined) writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    rules: (...args) => runCli(["rules", ...args, "--state-dir", state]),
  };
}

const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("check gives one document with what loaded, what was refused and why", async (t) => {
  const { file, rules } = folderOf(t);
  const path = file("r.yaml", RULES + BROKEN);
  const { code, stdout } = await rules("check", path, "--json");
  t.is(code, exitCodes.FAILED.code);
  const { loaded, refused, problems } = JSON.parse(stdout);
  t.deepEqual([loaded, refused, problems.length], [1, 1, 1]);
  const { message, ...rest } = problems[0];
  t.deepEqual(rest, { severity: "error", code: "LOAD_ERR_COMPILE_CONDITION", file: path, line: 9, column: 34 });
  t.regex(message, /fd\.nmae/);
  const right = await rules("check", file("right.yaml", RULES), "--json");
  t.deepEqual([right.code, JSON.parse(right.stdout)], [0, { loaded: 1, refused: 0, problems: [] }]);
});

test("check writes SARIF with a rule for each code and the place of each problem", async (t) => {
  const { file, rules } = folderOf(t);
  const { code, stdout } = await rules("check", file("with blank.yaml", BROKEN), "--format", "sarif");
  t.is(code, exitCodes.FAILED.code);
  const log = JSON.parse(stdout) as Log;
  t.is(log.version, "2.1.0");
  const [run] = log.runs;
  const [result] = run?.results ?? [];
  t.is(run?.tool.driver.rules?.[result?.ruleIndex ?? -1]?.id, "LOAD_ERR_COMPILE_CONDITION");
  t.is(result?.level, "error");
  const place = result?.locations?.[0]?.physicalLocation;
  t.regex(place?.artifactLocation?.uri ?? "", /^file:\/\/\/.*with%20blank\.yaml$/);
  t.deepEqual(place?.region, { startLine: 3, startColumn: 34 });
});

test("list tells of each rule what a person looks for", async (t) => {
  const { file, rules } = folderOf(t);
  const [rule] = lines((await rules("list", file("r.yaml", RULES), "--json")).stdout);
  t.like(rule, { name: "Hosts read", language: "falco", priority: "WARNING", enabled: true, line: 1 });
  t.deepEqual([rule.techniques, rule.tactics, rule.event_types], [["T1016"], ["Discovery"], ["open"]]);
  t.regex((await rules("list")).stdout, /critical +falco +Shell with its input/);
});

test("fields are those of the catalogue, by a part of their name", async (t) => {
  const { rules } = folderOf(t);
  const found = lines((await rules("fields", "fd.name", "--json")).stdout);
  t.deepEqual(found.map(({ name }) => name).sort(), ["fd.name", "fd.name_changed", "fd.nameraw"]);
  t.true(found.find(({ name }) => name === "fd.name").events.includes("open"));
  const sigma = lines((await rules("fields", "CommandLine", "--language", "sigma", "--json")).stdout);
  t.deepEqual(
    sigma.map(({ name, from }) => [name, from]),
    [
      ["CommandLine", "proc.exeline"],
      ["ParentCommandLine", "sigma.ParentCommandLine"],
    ],
  );
  t.is((await rules("fields", "no.such")).code, exitCodes.FAILED.code);
});

const TESTS = `tests:
  - test: a person reads it
    event: {type: open, fd.name: /etc/hosts, user.name: me}
    match: Hosts read
  - test: root reads it
    event: {type: open, fd.name: /etc/hosts}
    match: Hosts read
  - test: an event that cannot be
    event: {type: open, fd.sip: 1.2.3.4}
    match: []
`;

test("tests beside the rules are run; of a failure it is told which part decided", async (t) => {
  const { file, rules } = folderOf(t);
  file("r.yaml", RULES);
  const path = file("r.test.yaml", TESTS);
  const { code, stdout, stderr } = await rules("test", path);
  t.is(code, exitCodes.FAILED.code);
  t.regex(stderr, /^1 passed, 2 failed$/m);
  t.regex(stdout, /^ok a person reads it$/m);
  t.regex(stdout, /Hosts read did not match\n +✗ all of\n +✗ not\n +✓ user\.name = root +user\.name is "root"/);
  t.regex(stdout, /r\.test\.yaml:9:33: error: TEST_EVENT_INVALID: .*fd\.sip/);
  const [first, second] = lines((await rules("test", path, "--json")).stdout);
  t.like(first, { test: "a person reads it", passed: true, line: 2 });
  t.like(second, { passed: false, failures: [{ rule: "Hosts read", eventIndex: 0 }] });
});

test("a rule that does not load fails its tests", async (t) => {
  const { file, rules } = folderOf(t);
  file("r.yaml", BROKEN);
  const { code, stdout } = await rules("test", file("r.test.yaml", "tests: []\n"));
  t.is(code, exitCodes.FAILED.code);
  t.regex(stdout, /LOAD_ERR_COMPILE_CONDITION/);
  t.is((await rules("test", file("r.yaml"))).code, exitCodes.FAILED.code, "rules are no tests");
});

test("a recording can be a test, and be asked why not", async (t) => {
  const { file, rules } = folderOf(t);
  const rule = (name: string, condition: string) =>
    `- {rule: ${name}, desc: d, output: o, priority: INFO, condition: "${condition}"}\n`;
  const program = "evt.type = execve and proc.exepath endswith /";
  file("r.yaml", rule("Seen", `${program}cat`) + rule("Never", `${program}no-such-program`));
  file("a.njr", "");
  writeFileSync(file("a.njr"), readFileSync(RECORDING));
  const { code, stdout } = await rules(
    "test",
    file("r.test.yaml", "tests: [{test: t, recording: a.njr, match: Seen, no_match: [Never]}]\n"),
  );
  t.is(stdout, "ok t\n");
  t.is(code, 0);
  const why = await rules("why-not", "Never", file("r.yaml"), "--event", RECORDING, "--index", "0", "--json");
  t.like(lines(why.stdout)[0], { rule: "Never", matches: false, event: 0 });
});

test("why-not says which part was false, of an event written briefly", async (t) => {
  const { file, rules } = folderOf(t);
  const event = file("e.yaml", "{evt.type: openat, fd.name: /etc/group, user.name: me}");
  const { code, stdout } = await rules("why-not", "Hosts read", file("r.yaml", RULES), "--event", event);
  t.is(code, 0);
  t.regex(
    stdout,
    /Hosts read does not match event 0 \(open\)\n +✗ all of\n +✗ fd\.name = \/etc\/hosts +fd\.name is "\/etc\/group"/,
  );
  t.is((await rules("why-not", "No rule", file("r.yaml"), "--event", event)).code, exitCodes.USAGE.code);
  t.is((await rules("why-not", "Hosts read", file("r.yaml"), "--event", "/nowhere")).code, exitCodes.USAGE.code);
});

test("bench gives each rule's cost, the worst first", async (t) => {
  const { file, rules } = folderOf(t);
  const other = RULES.replace("Hosts read", "Other").replace("= /etc/hosts", "contains hosts");
  const costs = lines((await rules("bench", file("r.yaml", other + RULES), "--json")).stdout);
  t.deepEqual(costs.map(({ rule }) => rule).sort(), ["Hosts read", "Other"]);
  t.true(costs[0].ns_per_event >= costs[1].ns_per_event);
  t.deepEqual((await rules("bench", file("r.yaml"), "--top", "0")).code, exitCodes.USAGE.code);
});

test("rules are added whole or not at all, replaced by name, and removed", async (t) => {
  const { file, rules, state } = folderOf(t);
  const right = file("mine.yaml", RULES);
  t.like(lines((await rules("add", right, "--json")).stdout)[0], { name: "mine", rules: 1, errors: 0, added: true });
  t.true(existsSync(join(state, "rules/mine/mine.yaml")));
  t.regex((await rules("list")).stdout, /Hosts read/);
  const broken = await rules("add", file("broken.yaml", BROKEN), "--name", "mine", "--json");
  t.is(broken.code, exitCodes.FAILED.code);
  t.like(lines(broken.stdout)[0], { added: false, errors: 1 });
  t.true(existsSync(join(state, "rules/mine/mine.yaml")), "what was there is kept");
  t.is((await rules("add", file("broken.yaml"), "--name", "mine", "--force")).code, 0);
  t.false(existsSync(join(state, "rules/mine/mine.yaml")));
  t.is((await rules("remove")).stdout, "mine\n");
  t.is((await rules("remove", "mine")).code, 0);
  t.is((await rules("remove", "mine")).code, exitCodes.FAILED.code);
  t.is((await rules("add", right, "--name", "../x")).code, exitCodes.USAGE.code);
});

test("a folder of rules is added with the folders in it", async (t) => {
  const { file, rules, state } = folderOf(t);
  mkdirSync(file("set/deep"), { recursive: true });
  file("set/deep/r.yaml", RULES);
  t.is((await rules("add", file("set"))).code, 0);
  t.true(existsSync(join(state, "rules/set/deep/r.yaml")));
});

test("a folder with rules of Sigma that no event serves is added, and they are told of", async (t) => {
  const { file, rules, state } = folderOf(t);
  mkdirSync(file("set"));
  const rule = (title: string, logsource: string) =>
    `{title: ${title}, logsource: {${logsource}}, detection: {a: {Image: /bin/x}, condition: a}, level: low}\n`;
  file("set/served.yml", rule("Served", "product: linux, category: process_creation"));
  file("set/unserved.yml", rule("Unserved", "product: linux, service: sshd"));
  const { code, stdout, stderr } = await rules("add", file("set"), "--json");
  t.is(code, 0);
  t.like(lines(stdout)[0], { rules: 1, skipped: 1, errors: 0, added: true });
  t.regex(stderr, /unserved\.yml:.*SIGMA_LOGSOURCE_UNSERVED: .*sshd/);
  t.like(lines((await rules("list", join(state, "rules"), "--json")).stdout)[0], { name: "Served", language: "sigma" });
});

test("a rule of Sigma is tested with Sigma's names, and named by its id", async (t) => {
  const { file, rules } = folderOf(t);
  const id = "64c41342-6b27-523b-5d3f-c265f3efcdb3";
  const selection = "{Image|endswith: /kill, CommandLine|contains: ' -9 '}";
  const logsource = "{product: linux, category: process_creation}";
  file(
    "k.yml",
    `{title: Kill, id: ${id}, logsource: ${logsource}, detection: {a: ${selection}, condition: a}, level: low}`,
  );
  const event = "{type: exec, Image: /usr/bin/kill, CommandLine: kill -9 1}";
  const path = file("k.test.yml", `tests: [{test: t, event: ${event}, match: ${id}}]`);
  t.is((await rules("test", path)).stdout, "ok t\n");
  const other = file("e.yaml", "{type: exec, Image: /usr/bin/kill, CommandLine: kill 1}");
  t.regex((await rules("why-not", id, file("k.yml"), "--event", other)).stdout, /Kill does not match event 0 \(exec\)/);
});

test("a correlation is tested with several events and their times", async (t) => {
  const { file, rules } = folderOf(t);
  const rule = "title: Copy run\nname: run\nlogsource: {product: linux, category: process_creation}\nlevel: low\n";
  const often = "{type: event_count, rules: [run], group-by: [User], timespan: 1m, condition: {gte: 2}}";
  const sum = `title: Often\ncorrelation: ${often}\nlevel: high\n`;
  file("c.yml", `${rule}detection: {a: {Image: /bin/cp}, condition: a}\n---\n${sum}`);
  const event = (after: string, user: string) => `{type: exec, Image: /bin/cp, after: ${after}, user.name: ${user}}`;
  const path = file(
    "c.test.yml",
    `tests:
  - {test: near, match: Often, events: [${event("0s", "me")}, ${event("59s", "me")}]}
  - {test: far, match: [], events: [${event("0s", "me")}, ${event("2m", "me")}]}
  - {test: apart, match: [], events: [${event("0s", "me")}, ${event("1s", "you")}]}
  - {test: wrong, match: Often, events: [${event("0s", "me")}]}
`,
  );
  const listed = lines((await rules("list", file("c.yml"), "--json")).stdout);
  t.like(listed[1], { name: "Often", language: "sigma", correlation: "event_count", rules: ["Copy run"] });
  t.is(JSON.parse((await rules("check", file("c.yml"), "--json")).stdout).loaded, 2);
  const { stdout } = await rules("test", path);
  t.regex(stdout, /^ok near\nok far\nok apart\nFAILED wrong .*\n {2}Often the correlation did not fire\n$/);
});

test("why-not takes events as the tap and detections tell of them", async (t) => {
  const { file, rules } = folderOf(t);
  const batch = sampleBatch();
  const [, open] = batchJson(batch);
  const path = file("r.yaml", RULES);
  const seen = 'fd.name is "/etc/shadow"';
  const detection = create(DetectionSchema, {
    ...{ id: "ab".repeat(16), rule: "R", event: batch.events[1] as Event },
    processes: [...batch.processes].reverse(),
  });
  const stored = create(StoredDetectionSchema, { detection });
  for (const [name, json] of [
    ["tap.jsonl", open],
    ["detection.jsonl", detectionJson(stored)],
  ] as const) {
    const { stdout } = await rules("why-not", "Hosts read", path, "--event", file(name, JSON.stringify(json)));
    t.true(stdout.includes(seen), `${name}: ${stdout}`);
    const parent = file("p.yaml", RULES.replace("user.name = root", "proc.pname = bash"));
    const more = await rules("why-not", "Hosts read", parent, "--event", file(name));
    t.true(more.stdout.includes('proc.pname is "bash"'), more.stdout);
  }
});

test("what the command line writes in JSON, it reads back", (t) => {
  const message = create(ConnectSchema, {
    ...{ fd: -1, family: 10, peerPid: 7 },
    local: { address: Uint8Array.of(10, 0, 0, 1), port: 1 },
    remote: { address: Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 9]), port: 443 },
  });
  t.deepEqual(fromPlain(ConnectSchema, toPlain(ConnectSchema, message)), message);
  const batch = sampleBatch();
  for (const event of batch.events) t.deepEqual(fromPlain(EventSchema, toPlain(EventSchema, event)), event);
});

test("top refuses figures that are none, and says where no sensor runs", async (t) => {
  const { rules } = folderOf(t);
  t.is((await rules("top", "--count", "0")).code, exitCodes.USAGE.code);
  t.is((await rules("top", "--every", "-1")).code, exitCodes.USAGE.code);
  t.is((await rules("top", "--by", "name")).code, exitCodes.USAGE.code);
  t.is((await rules("top")).code, exitCodes.NOT_RUNNING.code);
});
