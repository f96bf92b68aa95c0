// Measures correlation: matches a second on one core, and the memory its windows take, for each kind of correlation.
//
//   nightjar bench correlation [--json] [--rounds N]
import { parseArgs } from "node:util";
import { CorrelationEngine, loadRules, type RuleMatch } from "@nightjar/rules";
import { busySeconds, thisMachine } from "../common/machine.ts";
import { spread } from "../common/statistics.ts";
import { machineText, number, shown, table } from "../common/text.ts";

const MATCHES = 300_000;
const MATCHES_PER_RANGE = 64;
const GROUPS = 1_000;
/** How far apart the matches are: with the timespans below, windows hold some tens each. */
const STEP_US = 1_000;
const ROUNDS_DEFAULT = 5;
const BYTES_PER_MB = 1e6;

/** What each kind is of; the rules a to d match in turn, each event of one of GROUPS users. */
const KINDS: Readonly<Record<string, string>> = {
  none: "",
  event_count: "type: event_count\n  rules: [a, b]\n  condition: {gte: 1000}",
  value_count: "type: value_count\n  rules: [a, b]\n  condition: {field: fd.name, gte: 1000}",
  value_avg: "type: value_avg\n  rules: [a, b]\n  condition: {field: evt.res, gt: 1000}",
  value_median: "type: value_median\n  rules: [a, b]\n  condition: {field: evt.res, gt: 1000}",
  temporal: "type: temporal\n  rules: [a, b, c, e]",
  temporal_ordered: "type: temporal_ordered\n  rules: [d, c, b, a]",
  all: "all",
};

function documentOf(kind: string): string {
  return `---\ntitle: ${kind}\ncorrelation:\n  ${KINDS[kind]}\n  group-by: [user.name]\n  timespan: 30s\n`;
}

function engineOf(kind: string): CorrelationEngine {
  const rule = (name: string) =>
    `- {rule: ${name}, desc: d, condition: evt.type = open, output: o, priority: NOTICE}\n`;
  const kinds = kind === "all" ? Object.keys(KINDS).filter((one) => !["none", "all"].includes(one)) : [kind];
  const documents = kind === "none" ? "" : kinds.map(documentOf).join("");
  const { correlations, problems } = loadRules([
    { name: "bench.yaml", text: ["a", "b", "c", "d", "e"].map(rule).join("") + documents },
  ]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return new CorrelationEngine(correlations);
}

function rangesOf(): RuleMatch[][] {
  const matches = Array.from({ length: MATCHES }, (_, at): RuleMatch => {
    const group = (at * 7_919) % GROUPS;
    return {
      rule: "abcd"[Math.floor(at / GROUPS) % 4] as string,
      source: "bench",
      position: at,
      timeUs: at * STEP_US,
      fields: { "user.name": `user${group}`, "fd.name": `/f/${at % 100}`, "evt.res": String(at % 1_000) },
      lineage: [String(group)],
    };
  });
  return Array.from({ length: Math.ceil(MATCHES / MATCHES_PER_RANGE) }, (_, at) =>
    matches.slice(at * MATCHES_PER_RANGE, (at + 1) * MATCHES_PER_RANGE),
  );
}

/** Processor seconds of one pass, firings, and what the windows hold at its end. */
function pass(kind: string, ranges: readonly RuleMatch[][]) {
  const engine = engineOf(kind);
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const before = process.cpuUsage();
  let firings = 0;
  for (const range of ranges) firings += engine.take(range, range.at(-1)?.timeUs ?? 0).length;
  const { user, system } = process.cpuUsage(before);
  globalThis.gc?.();
  const heapBytes = process.memoryUsage().heapUsed - heapBefore;
  return { perSecond: MATCHES / ((user + system) / 1e6), firings, heapBytes, ...engine.size };
}

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: String(ROUNDS_DEFAULT) } },
});
const machine = thisMachine();
const busyBefore = busySeconds();
const ranges = rangesOf();
// Rounds alternate between the kinds, so that what else the machine does meets them all alike.
const passes = Array.from({ length: Number(values.rounds) }, () =>
  Object.keys(KINDS).map((kind) => pass(kind, ranges)),
);
const results = Object.keys(KINDS).map((kind, at) => {
  const own = passes.flatMap((round) => round[at] ?? []);
  const last = own.at(-1);
  return {
    kind,
    matchesPerSecond: spread(own.map(({ perSecond }) => perSecond)),
    firings: last?.firings ?? 0,
    groups: last?.groups ?? 0,
    kept: last?.matches ?? 0,
    heapMb: (last?.heapBytes ?? 0) / BYTES_PER_MB,
  };
});
const others = busySeconds() - busyBefore - process.cpuUsage().user / 1e6;
if (values.json)
  console.log(JSON.stringify({ machine, matches: MATCHES, groups: GROUPS, results, busyElsewhereS: others }));
else {
  console.log(`${machineText(machine)}; others took ${number(others)} s of processor meanwhile`);
  console.log(
    `${number(MATCHES)} matches in ${number(GROUPS)} groups, ${MATCHES_PER_RANGE} a range; medians of ${values.rounds}`,
  );
  const rows = results.map(({ kind, matchesPerSecond, firings, groups, kept, heapMb }) => [
    kind,
    shown(matchesPerSecond),
    number(firings),
    number(groups),
    number(kept),
    number(heapMb),
  ]);
  console.log(table([["correlation", "matches/s", "firings", "groups", "matches kept", "heap MB"], ...rows]));
}
