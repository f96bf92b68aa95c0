// The engine: what it gives for a batch, which events it wants, and that its compiled form means what the tree means.
import { BatchReader, WireError } from "@nightjar/events";
import { eventTypes } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { loadRules } from "../files/load.ts";
import { batchOf, bytes, type EventInit, encode, exec, open, processes } from "./batch.fixture.ts";
import { compileRules } from "./engine.ts";
import { EventView } from "./event-view.ts";
import { getterOf, interpret } from "./interpret.ts";

const typeIds = new Map(eventTypes.map(({ name, id }) => [name, id]));

function rule(name: string, condition: string, rest = ""): string {
  const output = `${name} %proc.name %fd.name %proc.aname[1]`;
  return `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: ${output}\n  priority: INFO\n${rest}`;
}

test("all rules that hold match, in order, with what a person needs", (t) => {
  const text = [
    rule("A", "evt.type = openat and fd.name startswith /etc"),
    rule("B", "evt.type = openat and proc.pname = sh"),
    rule("Off", "evt.type = openat", "  enabled: false\n"),
    rule("C", "evt.type = openat and fd.name = /nowhere"),
  ].join("");
  const { rules, problems } = loadRules([{ name: "r.yaml", text }]);
  t.deepEqual(problems, []);
  const rows = processes([
    ["cat", "/usr/bin/cat", "cat"],
    ["sh", "/usr/bin/sh", "sh"],
    ["init", "/sbin/init", "init"],
  ]);
  const batch = encode([open("/etc/x", 0), exec("/bin/a", ["a"]), open("/tmp/x", 0)], rows, [1, 1, 2]);
  const matches = compileRules(rules).matchBatch(batch);
  t.deepEqual(
    matches.map((match) => [match.rule.name, match.eventIndex, match.position, match.lineage]),
    [
      ["A", 0, 1000, [0, 1, 2]],
      ["B", 0, 1000, [0, 1, 2]],
    ],
  );
  t.is(matches[0]?.output, "A cat /etc/x sh");
  t.is(matches[0]?.rule.place, "r.yaml:1");
  t.deepEqual(matches[1]?.fields, {
    "proc.name": "cat",
    "fd.name": "/etc/x",
    "proc.aname[1]": "sh",
    "evt.type": "openat",
    "proc.pname": "sh",
  });
  t.deepEqual(
    compileRules(rules, "first")
      .matchBatch(batch)
      .map((match) => match.rule.name),
    ["A"],
  );
});

/** Whatever types are added, the tests below speak of these. */
const KNOWN_TYPES = ["exec", "fork", "exit", "open", "connect"];

/** Conditions, and which of the known event types they can be true of. */
const INTEREST: readonly (readonly [condition: string, types: readonly string[]])[] = [
  ["evt.type = openat and fd.name = x", ["open"]],
  ["evt.type in (execve, clone)", ["exec", "fork"]],
  ["fd.name = x", ["open", "connect"]],
  ["fd.sip exists", ["connect"]],
  ["not evt.type in (execve, execveat)", ["fork", "exit", "open", "connect"]],
  ["evt.type = ptrace", []],
  ["evt.type = openat and container.id != host", ["open"]],
  ["evt.type = openat and k8s.svc.name = x", []],
  ["evt.category = process and not evt.type = procexit", ["exec", "fork"]],
  ["evt.dir = >", []],
  ["proc.name = x", ["exec", "fork", "exit", "open", "connect"]],
];

for (const [condition, types] of INTEREST) {
  test(`${condition} needs ${types.join(", ") || "no event"}`, (t) => {
    const { rules } = loadRules([
      { name: "r", text: rule("R", JSON.stringify(condition), "  warn_evttypes: false\n") },
    ]);
    t.is(rules.length, 1);
    t.deepEqual(
      compileRules(rules).eventTypes.filter((id) => KNOWN_TYPES.some((name) => typeIds.get(name) === id)),
      types.map((name) => typeIds.get(name) ?? 0),
    );
  });
}

test("bytes that are no batch are told apart from bugs", (t) => {
  const engine = compileRules(loadRules([{ name: "r", text: rule("R", "evt.type = openat") }]).rules);
  t.throws(() => engine.matchBatch(new Uint8Array([255, 255, 255])), { instanceOf: WireError });
  const rows = processes([["a", "/a", "a"]]);
  t.throws(() => engine.matchBatch(encode([open("/x", 0)], rows, [9])), { instanceOf: WireError });
  t.deepEqual(engine.matchBatch(encode([{}], rows, [1])), []);
});

test("deep and wide conditions compile", (t) => {
  const deep = `${"not (proc.pid = 1000 and (proc.pid = 2 or ".repeat(330)}fd.name = /y${"))".repeat(330)}`;
  const wide = Array.from({ length: 5000 }, (_, at) => `proc.name = n${at}`).join(" or ");
  const text = rule("Deep", `evt.type = openat and ${deep}`) + rule("Wide", `evt.type = openat and (${wide})`);
  const { rules, problems } = loadRules([{ name: "r", text }]);
  t.deepEqual(problems, []);
  const matches = compileRules(rules).matchBatch(batchOf(open("/x", 0), [["n4999", "/n", "n"]]));
  t.deepEqual(
    matches.map((match) => match.rule.name),
    ["Wide"],
  );
});

// ---- The compiled engine against the tree walked by hand, on random rules and events.

const word = fc.constantFrom("a", "b", "/a", "/a/b", "sh", "x.so", "");
const quoted = word.map((text) => `"${text}"`);
const list = fc.array(quoted, { maxLength: 3 }).map((values) => `(${values.join(", ")})`);
const text = fc.constantFrom(
  "proc.name",
  "proc.pname",
  "fd.name",
  "fd.directory",
  "fd.filename",
  "proc.exepath",
  "proc.args",
  "proc.aname",
  "proc.aname[1]",
  "proc.aname[2]",
  "evt.arg.flags",
  "evt.arg.filename",
  "tolower(proc.name)",
  "basename(fd.name)",
  "proc.cmdline",
  "user.name",
  "k8s.ns.name",
  "proc.sname",
  "evt.res",
);
const number = fc.constantFrom(
  "fd.num",
  "proc.pid",
  "proc.ppid",
  "evt.rawres",
  "user.uid",
  "proc.cmdnargs",
  "len(proc.name)",
  "proc.apid",
  "user.loginuid",
);
const check = fc.oneof(
  fc
    .tuple(
      text,
      fc.constantFrom("=", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "<", ">="),
      quoted,
    )
    .filter(([, operator]) => !["<", ">="].includes(operator))
    .map((parts) => parts.join(" ")),
  fc.tuple(text, fc.constantFrom("in", "pmatch", "intersects"), list).map((parts) => parts.join(" ")),
  fc
    .tuple(text, fc.constantFrom("=", "!=", "startswith", "endswith"), fc.constantFrom("oneof", "anyof", "allof"), list)
    .map((parts) => parts.join(" ")),
  fc
    .tuple(number, fc.constantFrom("=", "!=", "<", "<=", ">", ">="), fc.integer({ min: -3, max: 1001 }))
    .map((parts) => parts.join(" ")),
  text.map((name) => `${name} exists`),
  fc.constantFrom(
    "evt.type = openat",
    "evt.type in (execve, open)",
    "evt.type != openat",
    "evt.is_open_write = true",
    "evt.failed = false",
    "fd.name = val(proc.exepath)",
    "proc.name = val(proc.pname)",
    "evt.category = file",
    "container.id = host",
    "fd.typechar = f",
  ),
);
const condition: fc.Arbitrary<string> = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4 },
    { arbitrary: check, weight: 3 },
    {
      arbitrary: fc.array(tie("condition"), { minLength: 2, maxLength: 4 }).map((parts) => `(${parts.join(" and ")})`),
      weight: 2,
    },
    {
      arbitrary: fc.array(tie("condition"), { minLength: 2, maxLength: 4 }).map((parts) => `(${parts.join(" or ")})`),
      weight: 2,
    },
    { arbitrary: tie("condition").map((part) => `not (${part})`), weight: 1 },
  ),
})).condition;

const name = fc.constantFrom("a", "b", "sh", "");
const event = fc.oneof(
  fc
    .tuple(word, word, fc.constantFrom(0, 1, 2, 0o101), fc.integer({ min: -3, max: 3 }))
    .map(([path, requested, flags, result]) => ({
      ...open(path, flags),
      result: BigInt(result),
      data: {
        case: "open" as const,
        value: { path: bytes(path), requested: bytes(requested), flags: BigInt(flags), type: 1 },
      },
    })),
  fc.tuple(word, fc.array(word, { maxLength: 3 })).map(([path, args]) => exec(path, args, { sessionId: 999 })),
  fc.constant({ data: { case: "fork" as const, value: { childPid: 3 } } }),
  fc.constant({
    result: -115n,
    call: 12,
    data: {
      case: "connect" as const,
      value: { family: 2, remote: { address: new Uint8Array([1, 2, 3, 4]), port: 9 } },
    },
  }),
);
const events = fc.array(fc.tuple(event, name, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 6 });
const lines = fc.array(fc.tuple(name, word, word, word), { minLength: 3, maxLength: 3 });

/** How many cases a run takes: a case is a rule put to an event. */
const RUNS = 300;

test("the compiled engine means what the tree means", (t) => {
  let cases = 0;
  fc.assert(
    fc.property(fc.array(condition, { minLength: 1, maxLength: 12 }), events, lines, (conditions, happened, line) => {
      const rows = conditions.map((each, at) => rule(`R${at}`, JSON.stringify(each), "  warn_evttypes: false\n"));
      const { rules, problems } = loadRules([{ name: "r", text: rows.join("") }]);
      t.deepEqual(
        problems.filter(({ severity }) => severity === "error"),
        [],
      );
      const batch = encode(
        happened.map(([each, comm]) => ({ ...each, name: bytes(comm), parentPid: 999 }) as EventInit),
        processes(line),
        happened.map(([, , actor]) => actor),
      );
      const found = compileRules(rules)
        .matchBatch(batch)
        .map((match) => `${match.eventIndex} ${match.rule.name}`);
      const view = new EventView();
      view.open(new BatchReader(batch));
      const expected: string[] = [];
      for (let index = 0; index < happened.length; index++) {
        view.select(index);
        for (const { name: ruleName, expression } of rules) {
          cases++;
          if (interpret(expression, (term) => getterOf(term)(view))) expected.push(`${index} ${ruleName}`);
        }
      }
      t.deepEqual(found, expected);
    }),
    { numRuns: RUNS },
  );
  t.log(`${cases} cases`);
  t.true(cases > 10 * RUNS);
});

test("what the rules cost is told once, and only of those that were asked", (t) => {
  const text = [
    rule("Always", "evt.type = openat and fd.num > 1000"),
    rule("Indexed", "evt.type = openat and fd.name contains /nowhere"),
    rule("Exec", "evt.type = execve"),
  ].join("");
  const engine = compileRules(loadRules([{ name: "r.yaml", text }]).rules);
  const batch = encode(
    Array.from({ length: 256 }, () => open("/etc/x", 0)),
    [],
    [],
  );
  for (let time = 0; time < 8; time++) engine.matchBatch(batch);
  const costs = engine.takeCosts();
  t.deepEqual(
    costs.map((cost) => [cost.rule.name, cost.evaluated]),
    [["Always", 2_048]],
  );
  t.is(costs[0]?.timed, 2);
  t.true((costs[0]?.timedMs ?? 0) > 0);
  t.deepEqual(engine.takeCosts(), []);
});
