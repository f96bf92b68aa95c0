// Each type of correlation fires exactly when its specification says, and again, and never holds more than it may.
import test from "ava";
import * as fc from "fast-check";
import { loadRules } from "../files/load.ts";
import { CorrelationEngine, type Firing } from "./engine.ts";
import type { RuleMatch } from "./match.ts";
import { ENTRIES_PER_GROUP_MAX } from "./window.ts";

const FALCO = ["a", "b", "c"]
  .map((name) => `- {rule: ${name}, desc: d, condition: evt.type = open, output: o, priority: NOTICE}`)
  .join("\n");

/** The correlations of documents that may be about the rules a, b and c. */
function load(...documents: string[]) {
  return loadRules([{ name: "r.yaml", text: [FALCO, ...documents].join("\n---\n") }]);
}

function correlation(title: string, body: string): string {
  return `title: ${title}\ncorrelation:\n  ${body.trim().split("\n").join("\n  ")}`;
}

type Given = readonly [rule: string, atS: number, fields?: Record<string, string>, lineage?: string[]];

function matchOf([rule, atS, fields = {}, lineage = []]: Given, position: number): RuleMatch {
  return { rule, source: "s", position, timeUs: atS * 1_000_000, fields, lineage };
}

/** What fires at each match, with the watermark at it and no wait for late ones: titles, or values. */
function fire(documents: string[], given: readonly Given[], show = ({ fired }: Firing): unknown => fired.value) {
  const { correlations } = load(...documents);
  const engine = new CorrelationEngine(correlations, 0);
  return given.map((one, position) => {
    const match = matchOf(one, position);
    return engine.take([match], match.timeUs).map(show);
  });
}

const USER = (name: string) => ({ "user.name": name });

test("event_count counts the events of each group in a sliding window, both ends included", (t) => {
  const document = correlation(
    "Many",
    "type: event_count\nrules: [a]\ngroup-by: [user.name]\ntimespan: 10s\ncondition:\n  gte: 3",
  );
  const given: Given[] = [
    ["a", 0, USER("x")],
    ["a", 0, USER("y")],
    ["a", 5, USER("x")],
    ["b", 6, USER("x")],
    ["a", 10, USER("x")],
    ["a", 11, USER("x")],
    ["a", 16, USER("x")],
    ["a", 30, USER("y")],
  ];
  t.deepEqual(fire([document], given), [[], [], [], [], [3], [3], [3], []]);
});

test("a range fires as long as the count is in it", (t) => {
  const document = correlation("Range", "type: event_count\nrules: [a]\ntimespan: 1h\ncondition:\n  gt: 2\n  lte: 5");
  const given = Array.from({ length: 7 }, (_, at): Given => ["a", at]);
  t.deepEqual(fire([document], given), [[], [], [3], [4], [5], [], []]);
});

test("value_count counts different values, of several fields different tuples", (t) => {
  const one = correlation("One", "type: value_count\nrules: [a]\ntimespan: 1m\ncondition:\n  field: fd.name\n  gte: 2");
  const two = correlation(
    "Two",
    "type: value_count\nrules: [a]\ntimespan: 1m\ncondition:\n  field: [fd.name, user.name]\n  gte: 2",
  );
  const of = (file: string, user: string) => ({ "fd.name": file, "user.name": user });
  const given: Given[] = [
    ["a", 0, of("f", "x")],
    ["a", 1, of("f", "x")],
    ["a", 2, of("f", "y")],
    ["a", 3, { "user.name": "z" }],
    ["a", 4, of("g", "y")],
  ];
  t.deepEqual(fire([one], given), [[], [], [], [], [2]]);
  t.deepEqual(fire([two], given), [[], [], [2], [], [3]]);
});

test("sums, averages, medians and percentiles are of numbers; what is none is passed over", (t) => {
  const of = (type: string, condition: string) =>
    correlation(type, `type: ${type}\nrules: [a]\ntimespan: 10s\ncondition:\n  field: evt.res\n  ${condition}`);
  const given = ["600", "none", "500", "", "100"].map((text, at): Given => ["a", 4 * at, { "evt.res": text }]);
  t.deepEqual(fire([of("value_sum", "gt: 1000")], given), [[], [], [1100], [], []]);
  t.deepEqual(fire([of("value_avg", "gte: 300")], given), [[600], [], [550], [], [300]]);
  t.deepEqual(fire([of("value_median", "gte: 100")], given), [[600], [], [550], [], [300]]);
  t.deepEqual(fire([of("value_percentile", "percentile: 25\n  lt: 530")], given), [[], [], [525], [], [200]]);
});

test("temporal wants all of its rules, or so many, or what its expression says", (t) => {
  const of = (condition: string) =>
    correlation("T", `type: temporal\nrules: [a, b, c]\ngroup-by: [user.name]\ntimespan: 10s\n${condition}`);
  const x = USER("x");
  const given: Given[] = [
    ["c", 0, x],
    ["a", 1, x],
    ["b", 2, USER("y")],
    ["b", 5, x],
    ["a", 20, x],
  ].map((one) => one as unknown as Given);
  t.deepEqual(fire([of("")], given), [[], [], [], [3], []]);
  t.deepEqual(fire([of("condition:\n  gte: 2")], given), [[], [2], [], [3], []]);
  t.deepEqual(fire([of("condition: a and (b or not c)")], given), [[], [], [], [3], [1]]);
  t.deepEqual(fire([of("condition: not (a or b) and c")], given), [[1], [], [], [], []]);
});

test("temporal_ordered fires at the last rule's match, where the others came before it in order", (t) => {
  const document = correlation("O", "type: temporal_ordered\nrules: [a, b, c]\ntimespan: 10s");
  const given: Given[] = [
    ["a", 0],
    ["c", 1],
    ["b", 2],
    ["a", 3],
    ["c", 4],
    ["c", 11],
    ["b", 12],
    ["c", 13],
    ["c", 14],
  ];
  t.deepEqual(fire([document], given), [[], [], [], [], [3], [], [], [3], []]);
});

test("one event is one step, even where two rules match it", (t) => {
  const document = correlation("O", "type: temporal_ordered\nrules: [a, b]\ntimespan: 10s");
  const engine = new CorrelationEngine(load(document).correlations);
  const both = (position: number) => ["a", "b"].map((rule) => matchOf([rule, position], position));
  t.is(engine.take(both(1), 1_000_000).length, 0);
  t.is(engine.take(both(2), 2_000_000).length, 1);
});

test("the same process, and the descendants of the one that matched first", (t) => {
  const of = (groupBy: string) =>
    correlation(groupBy, `type: temporal_ordered\nrules: [a, b]\ngroup-by: [${groupBy}]\ntimespan: 10s`);
  const given: Given[] = [
    ["b", 0, {}, ["5", "4", "1"]],
    ["a", 1, {}, ["4", "1"]],
    ["b", 2, {}, ["4", "1"]],
    ["b", 3, {}, ["6", "5", "4", "1"]],
    ["b", 4, {}, ["7", "1"]],
    ["b", 20, {}, ["5", "4", "1"]],
  ];
  t.deepEqual(fire([of("same process")], given), [[], [], [2], [], [], []]);
  t.deepEqual(fire([of("descendant of")], given), [[], [], [2], [2], [], []]);
});

test("aliases name one thing differently in two rules", (t) => {
  const document = correlation(
    "A",
    "type: temporal\nrules: [a, b]\ngroup-by: [ip]\naliases:\n  ip:\n    a: fd.sip\n    b: fd.cip\ntimespan: 1m",
  );
  const { correlated } = load(document);
  t.deepEqual(
    [...correlated].map(([name, { fields }]) => [name, ...fields.keys()]),
    [
      ["a", "fd.sip"],
      ["b", "fd.cip"],
    ],
  );
  const given: Given[] = [
    ["a", 0, { "fd.sip": "1.1.1.1" }],
    ["b", 1, { "fd.sip": "1.1.1.1", "fd.cip": "2.2.2.2" }],
    ["b", 2, { "fd.cip": "1.1.1.1" }],
  ];
  t.deepEqual(
    fire([document], given, ({ group }) => group),
    [[], [], [{ ip: "1.1.1.1" }]],
  );
});

test("a correlation over correlations, wherever they stand", (t) => {
  const outer = correlation("Outer", "type: temporal_ordered\nrules: [many, b]\ngroup-by: [user.name]\ntimespan: 1m");
  const inner = `name: many\n${correlation(
    "Inner",
    "type: event_count\nrules: [a]\ngroup-by: [user.name]\ntimespan: 10s\ncondition:\n  gte: 2",
  )}`;
  const given: Given[] = [
    ["b", 0, USER("x")],
    ["a", 1, USER("x")],
    ["a", 2, USER("x")],
    ["b", 3, USER("x")],
  ];
  const names = fire([outer, inner], given, ({ correlation: { name, alone } }) => [name, alone]);
  t.deepEqual(names, [[], [], [["Inner", false]], [["Outer", true]]]);
});

test("a story is told once, and again when it was silent or has gone on for a timespan", (t) => {
  const document = correlation("S", "type: event_count\nrules: [a]\ntimespan: 10s\ncondition:\n  gte: 2");
  const given = [0, 1, 2, 11, 12, 13, 40, 41].map((at): Given => ["a", at]);
  const shown = fire([document], given, ({ repeats, story }) => [repeats, story.position]);
  t.deepEqual(shown, [[], [[false, 0]], [[true, 0]], [[true, 0]], [[false, 2]], [[true, 2]], [], [[false, 6]]]);
});

test("what cannot be taken back waits for what comes late", (t) => {
  const document = correlation("E", "type: event_count\nrules: [a]\ntimespan: 1m\ncondition:\n  eq: 1");
  const { correlations } = load(document);
  const engine = new CorrelationEngine(correlations);
  t.deepEqual(engine.take([matchOf(["a", 2], 0)], 2_000_000), []);
  t.deepEqual(engine.take([matchOf(["a", 1.5], 1)], 2_400_000), []);
  const [firing] = engine.take([], 3_500_000);
  t.is(firing?.fired.last.position, 1, "it is the older one with which the count was 1");
});

test("faults are named, with their place, and take with them what depends on them", (t) => {
  const fault = (...documents: string[]) => load(...documents).problems.map(({ code, line }) => `${code}:${line}`);
  const of = (title: string, rules: string, more = "") =>
    correlation(title, `type: temporal\nrules: [${rules}]\ntimespan: 1m\n${more}`);
  t.deepEqual(fault(of("A", "nobody")), ["CORRELATION_UNKNOWN_RULE:8"]);
  t.deepEqual(fault(of("A", "B"), of("B", "A")), ["CORRELATION_CYCLE:14", "CORRELATION_UNKNOWN_RULE:8"]);
  t.deepEqual(fault(of("A", "a", "condition: a and x")), ["CORRELATION_INVALID:10"]);
  t.deepEqual(fault(of("A", "a", "group-by: [no.such]")), ["CORRELATION_INVALID:10"]);
  t.deepEqual(fault(of("a", "b")), ["CORRELATION_INVALID:5"]);
  t.deepEqual(fault(correlation("A", "type: temporal\nrules: [a]\ntimespan: 2y")), ["CORRELATION_TOO_LONG:9"]);
  t.deepEqual(fault(correlation("A", "type: other\nrules: [a]\ntimespan: 1m")), ["CORRELATION_INVALID:7"]);
  t.deepEqual(fault(correlation("A", "type: event_count\nrules: [a]\ntimespan: 1m")), ["CORRELATION_INVALID:7"]);
  t.deepEqual(fault(of("A", "a", "window: sliding")), ["LOAD_UNKNOWN_ITEM:10"]);
});

test("rules in a correlation stand alone unless it says otherwise; correlations in one only where it says so", (t) => {
  const of = (title: string, more: string) =>
    correlation(title, `type: temporal\nrules: [a]\ngroup-by: [user.name]\ntimespan: 1m\n${more}`);
  const alone = (...documents: string[]) => load(...documents).correlated.get("a")?.alone;
  t.true(alone(of("A", "")));
  t.false(alone(of("A", "generate: false")));
  t.true(alone(of("A", "generate: false"), of("B", "generate: true")));
  t.is(alone(of("A", "generate: false\ncondition: x")), undefined, "one with a fault silences nothing");
});

test("groups and matches beyond the limits are given up, those idle longest first, and counted", (t) => {
  const document = correlation(
    "L",
    "type: event_count\nrules: [a]\ngroup-by: [user.name]\ntimespan: 1d\ncondition:\n  gte: 10000",
  );
  const { correlations } = load(document);
  const groups = new CorrelationEngine(correlations);
  for (let at = 0; at < 10_010; at++) groups.take([matchOf(["a", 1, USER(`u${at}`)], at)], 1_000_000);
  t.is(groups.size.groups, 10_000);
  t.is(groups.hits.groups, 10);
  const matches = new CorrelationEngine(correlations);
  let fired = 0;
  for (let at = 0; at < 2 * ENTRIES_PER_GROUP_MAX; at++)
    fired += matches.take([matchOf(["a", at, USER("x")], at)], at * 1_000_000).length;
  t.true(fired > 0);
  t.true(matches.size.matches <= ENTRIES_PER_GROUP_MAX);
  t.true(matches.hits.matches > 0);
});

test("other rules keep the windows of what stayed the same", (t) => {
  const many = correlation("M", "type: event_count\nrules: [a]\ntimespan: 1m\ncondition:\n  gte: 2");
  const other = correlation("N", "type: event_count\nrules: [b]\ntimespan: 1m\ncondition:\n  gte: 2");
  const engine = new CorrelationEngine(load(many).correlations);
  engine.take([matchOf(["a", 1], 1)], 1_000_000);
  engine.replace(load(many, other).correlations);
  t.is(engine.take([matchOf(["a", 2], 2)], 2_000_000).length, 1);
});

test("the order in which matches come within a second changes nothing that is fired", (t) => {
  const bodies = [
    "type: event_count\nrules: [a, b]\ntimespan: 2s\ncondition:\n  gte: 3",
    "type: event_count\nrules: [a]\ntimespan: 2s\ncondition:\n  eq: 2",
    "type: value_avg\nrules: [a, b]\ntimespan: 2s\ncondition:\n  field: evt.res\n  gt: 2",
    "type: temporal\nrules: [a, b, c]\ntimespan: 2s\ncondition: a and not b",
    "type: temporal_ordered\nrules: [a, b, c]\ntimespan: 2s",
  ];
  const { correlations } = load(...bodies.map((body, at) => correlation(`C${at}`, body)));
  const event = fc.record({ rule: fc.constantFrom("a", "b", "c"), at: fc.integer({ min: 0, max: 900 }) });
  const outcome = (matches: readonly RuleMatch[]) => {
    const engine = new CorrelationEngine(correlations);
    const firings = [...matches.flatMap((match) => engine.take([match], match.timeUs)), ...engine.take([], 10_000_000)];
    return [...new Set(firings.map(({ correlation: { name }, fired }) => `${name} ${fired.last.position}`))].sort();
  };
  void fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (events, random) => {
      const matches = events
        .map(({ rule, at }, position) => matchOf([rule, 1 + at / 1_000, { "evt.res": String(at % 5) }], position))
        .sort((left, right) => left.timeUs - right.timeUs || left.position - right.position);
      const keys = new Map(matches.map((match) => [match, random.next().value as number]));
      const shuffled = matches.toSorted((left, right) => (keys.get(left) ?? 0) - (keys.get(right) ?? 0));
      const whole = outcome(matches);
      const late = outcome(shuffled);
      t.deepEqual(late, whole);
    }),
    { numRuns: 300 },
  );
});
