// What the measurements say: added cost per operation, and how opens at a rate went.
import { type Machine, thisMachine } from "../common/machine.ts";
import { median, percentile, type Spread, spread } from "../common/statistics.ts";
import { machineText, number, shown, table } from "../common/text.ts";
import { OPERATIONS, type Operation } from "./operator.ts";
import type { ProfileName } from "./profiles.ts";

/** The tenth percentile of a run's batches: what it costs when nothing else disturbs. */
const UNDISTURBED = 0.1;

/** One round of one operation, off and on close in time. */
export interface Pair {
  operation: Operation;
  profile: ProfileName;
  offNs: number[];
  onNs: number[];
}

/** Opens at a rate with one profile. */
export interface Steady {
  profile: ProfileName;
  wantedPerS: number;
  donePerS: number;
  seconds: number;
  seen: number;
  filtered: number;
  submitted: number;
  dropped: number;
  watcherCpuUs: number;
  ringBytes: number;
}

interface Cost {
  operation: Operation;
  profile: ProfileName;
  offNs: Spread | undefined;
  addedNs: Spread | undefined;
  ratio: Spread | undefined;
}

interface Aim {
  what: string;
  measured: string;
  aim: string;
  reached: boolean;
}

export interface Report {
  machine: Machine;
  costs: Cost[];
  steady: (Steady & { watcherNsPerSubmitted: number | undefined })[];
  aims: Aim[];
}

const GETPPID_ADDED_NS_MAX = 110;
const UNWANTED_OPEN_ADDED_NS_MAX = 350;
const WATCHER_NS_PER_EVENT_MAX = 400;

function costOf(operation: Operation, profile: ProfileName, pairs: readonly Pair[]): Cost {
  const own = pairs.filter((pair) => pair.operation === operation && pair.profile === profile);
  const low = (values: readonly number[]) => percentile(values, UNDISTURBED) ?? Number.NaN;
  return {
    operation,
    profile,
    offNs: spread(own.map(({ offNs }) => low(offNs))),
    addedNs: spread(own.map(({ offNs, onNs }) => low(onNs) - low(offNs))),
    ratio: spread(own.map(({ offNs, onNs }) => low(onNs) / low(offNs))),
  };
}

function aimsOf(costs: readonly Cost[], steady: Report["steady"]): Aim[] {
  const added = (operation: Operation, profile: ProfileName) =>
    costs.find((cost) => cost.operation === operation && cost.profile === profile)?.addedNs?.median ?? Number.NaN;
  const limit = (what: string, ns: number, max: number): Aim => ({
    what,
    measured: `${number(ns)} ns`,
    aim: `under ${max} ns`,
    reached: ns < max,
  });
  const submittedNs = median(steady.flatMap(({ watcherNsPerSubmitted: ns }) => (ns === undefined ? [] : [ns])));
  return [
    limit("an unrelated system call, starter rules", added("getppid", "starter"), GETPPID_ADDED_NS_MAX),
    limit("an open and close no rule wants", added("open", "starter"), UNWANTED_OPEN_ADDED_NS_MAX),
    limit("the collector's CPU for a submitted event", submittedNs ?? Number.NaN, WATCHER_NS_PER_EVENT_MAX + 1),
    ...steady.map(({ profile, wantedPerS, donePerS, dropped }) => ({
      what: `opens at ${number(wantedPerS)}/s, ${profile}`,
      measured: `${number(donePerS)}/s, ${dropped} dropped`,
      aim: "no drop",
      reached: dropped === 0 && donePerS > 0.99 * wantedPerS,
    })),
  ];
}

export function reportOf(pairs: readonly Pair[], runs: readonly Steady[], machine = thisMachine()): Report {
  const profiles = [...new Set(pairs.map(({ profile }) => profile))];
  const costs = profiles.flatMap((profile) => OPERATIONS.map((operation) => costOf(operation, profile, pairs)));
  const steady = runs.map((run) => ({
    ...run,
    watcherNsPerSubmitted: run.submitted > run.filtered ? (run.watcherCpuUs * 1_000) / run.submitted : undefined,
  }));
  return { machine, costs, steady, aims: aimsOf(costs, steady) };
}

export function reportText({ machine, costs, steady, aims }: Report): string {
  const costRows = costs.map(({ operation, profile, offNs, addedNs, ratio }) => [
    `${operation}, ${profile}`,
    shown(offNs),
    shown(addedNs),
    shown(ratio),
  ]);
  const steadyRows = steady.map((run) => [
    run.profile,
    number(run.wantedPerS),
    number(run.donePerS),
    ...[run.filtered, run.submitted, run.dropped].map((count) => count.toLocaleString("en")),
    run.watcherNsPerSubmitted === undefined ? "–" : number(run.watcherNsPerSubmitted),
  ]);
  const aimRows = [
    ["", "measured", "aim", ""],
    ...aims.map(({ what, measured, aim, reached }) => [what, measured, aim, reached ? "reached" : "not reached"]),
  ];
  return [
    machineText(machine),
    "CPU time of an operation, each the 10th percentile of its batches; medians over rounds [least..most]",
    table([["operation, watched", "off, ns", "added, ns", "ratio"], ...costRows]),
    `opens at a rate, ring of ${(steady[0]?.ringBytes ?? 0) / 1024} KiB`,
    table([["watched", "wanted/s", "done/s", "filtered", "submitted", "dropped", "CPU ns/submitted"], ...steadyRows]),
    `aims\n${table(aimRows)}`,
  ].join("\n\n");
}
