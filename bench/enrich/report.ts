// What the measurements of the enricher say, beside the aims.
import { type Machine, thisMachine } from "../common/machine.ts";
import { median, type Spread, spread } from "../common/statistics.ts";
import { machineText, number, shown, table } from "../common/text.ts";

/** The figures of one run of a measurement, by their names. */
export type Figures = Readonly<Record<string, number>>;

export type Name = "events" | "execs" | "tree" | "memory";

interface Aim {
  measurement: Name;
  figure: string;
  what: string;
  /** What is divided by for people. */
  unit: readonly [divisor: number, name: string];
  atMost?: number;
  atLeast?: number;
}

const AIMS: readonly Aim[] = [
  {
    ...{ measurement: "events", figure: "ns_per_event", atMost: 2_000 },
    ...{ what: "CPU of an event, caches warm", unit: [1_000, "µs"] },
  },
  {
    ...{ measurement: "execs", figure: "us_per_exec", atMost: 20 },
    ...{ what: "CPU of a fork, an exec of a known file and an exit", unit: [1, "µs"] },
  },
  {
    ...{ measurement: "execs", figure: "execs_per_s", atLeast: 10_000 },
    ...{ what: "execs a second on one core", unit: [1, "/s"] },
  },
  {
    ...{ measurement: "tree", figure: "cpu_ms", atMost: 1_000 },
    ...{ what: "CPU of reading the tree from /proc", unit: [1, "ms"] },
  },
  {
    ...{ measurement: "memory", figure: "bytes", atMost: 150e6 },
    ...{ what: "memory of the tree", unit: [1e6, "MB"] },
  },
];

interface Result {
  what: string;
  measured: Spread | undefined;
  unit: string;
  aim: string;
  reached: boolean;
}

export interface Report {
  machine: Machine;
  /** Of what each was measured, e.g. how many processes: medians. */
  extents: Readonly<Record<Name, Figures>>;
  results: Result[];
}

export type Runs = Readonly<Record<Name, readonly Figures[]>>;

function resultOf({ measurement, figure, what, unit, atMost, atLeast }: Aim, runs: Runs): Result {
  const [divisor, name] = unit;
  const measured = spread(runs[measurement].map((run) => (run[figure] ?? Number.NaN) / divisor));
  const middle = (measured?.median ?? Number.NaN) * divisor;
  const aim =
    atMost === undefined ? `${number((atLeast ?? 0) / divisor)} or more` : `${number(atMost / divisor)} or less`;
  return {
    what,
    measured,
    unit: name,
    aim,
    reached: atMost === undefined ? middle >= (atLeast ?? 0) : middle <= atMost,
  };
}

function mediansOf(runs: readonly Figures[]): Figures {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(runs.map((run) => run[name] ?? 0)) ?? 0]));
}

export function reportOf(runs: Runs, machine = thisMachine()): Report {
  const extents = Object.fromEntries(Object.entries(runs).map(([name, of]) => [name, mediansOf(of)]));
  return { machine, extents: extents as Report["extents"], results: AIMS.map((aim) => resultOf(aim, runs)) };
}

export function reportText({ machine, extents, results }: Report): string {
  const { events, execs, tree, memory } = extents;
  const rows = results.map(({ what, measured, unit, aim, reached }) => [
    ...[what, `${shown(measured)} ${unit}`, aim],
    reached ? "reached" : "not reached",
  ]);
  return [
    machineText(machine),
    "CPU time, all threads; medians over rounds [least..most]",
    `${number(events.events ?? 0)} events; ${number(execs.execs ?? 0)} execs; ` +
      `a tree of ${number(tree.processes ?? 0)} processes, ${number(tree.clock_ms ?? 0)} ms on the clock; ` +
      `${number(memory.processes ?? 0)} processes in memory with images of ` +
      `${number((memory.image_bytes ?? 0) / (memory.processes ?? 1))} B, ${number(memory.evicted ?? 0)} evicted; the ` +
      `measuring process had at most ${number((memory.resident_peak_bytes ?? 0) / 1e6)} MB resident`,
    table([["", "measured", "aim", ""], ...rows]),
  ].join("\n\n");
}
