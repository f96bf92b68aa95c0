// What the measurements of the rules say: events a second on one core, what loading takes, and the aims.
import { type Machine, thisMachine } from "../common/machine.ts";
import { median, type Spread, spread } from "../common/statistics.ts";
import { machineText, number, shown, table } from "../common/text.ts";
import type { Measured } from "./measure-process.ts";
import { MADE_UP_RULES, SETS, type SetName } from "./rule-sets.ts";

interface SetFigures {
  set: SetName;
  rules: number;
  refused: number;
  matches: number;
  eventsPerS: Spread | undefined;
  nsPerEvent: Spread | undefined;
  /** Loading and compiling together, of CPU and on the clock. */
  loadMs: Spread | undefined;
  loadClockMs: Spread | undefined;
  heapBytes: Spread | undefined;
  peakResidentBytes: Spread | undefined;
}

interface Aim {
  what: string;
  measured: string;
  aim: string;
  reached: boolean;
}

export interface Report {
  machine: Machine;
  events: number;
  types: readonly (readonly [type: string, count: number])[];
  sets: SetFigures[];
  /** What an event costs with the made-up rules, as a multiple of what it costs with the starter rules. */
  growth: number;
  aims: Aim[];
}

const EVENTS_PER_S_MIN: Readonly<Partial<Record<SetName, number>>> = { falco: 300_000, sigma: 150_000, both: 100_000 };
const LOAD_MS_MAX = 3_000;
const HEAP_BYTES_MAX = 150e6;
const BYTES_PER_MB = 1e6;

function figuresOf(set: SetName, runs: readonly Measured[]): SetFigures {
  const own = runs.filter((run) => run.set === set);
  return {
    set,
    rules: own[0]?.rules ?? 0,
    refused: own[0]?.refused ?? 0,
    matches: own[0]?.matches ?? 0,
    eventsPerS: spread(own.map(({ nsPerEvent }) => 1e9 / nsPerEvent)),
    nsPerEvent: spread(own.map(({ nsPerEvent }) => nsPerEvent)),
    loadMs: spread(own.map(({ loadMs }) => loadMs)),
    loadClockMs: spread(own.map(({ loadClockMs }) => loadClockMs)),
    heapBytes: spread(own.map(({ heapBytes }) => heapBytes)),
    peakResidentBytes: spread(own.map(({ peakResidentBytes }) => peakResidentBytes)),
  };
}

function aimsOf(sets: readonly SetFigures[]): Aim[] {
  const ofSets = sets.flatMap(({ set, rules, eventsPerS }) => {
    const least = EVENTS_PER_S_MIN[set];
    const measured = eventsPerS?.median ?? Number.NaN;
    const what = `events/s with ${set} (${rules} rules)`;
    const aim = `${number(least ?? 0)} or more`;
    return least === undefined ? [] : [{ what, measured: number(measured), aim, reached: measured >= least }];
  });
  const many = sets.find(({ set }) => set === "many");
  const loadMs = many?.loadClockMs?.median ?? Number.NaN;
  const heap = many?.heapBytes?.median ?? Number.NaN;
  return [
    ...ofSets,
    {
      what: `${number(MADE_UP_RULES)} rules load, on the clock`,
      measured: `${number(loadMs)} ms`,
      aim: `under ${number(LOAD_MS_MAX)} ms`,
      reached: loadMs < LOAD_MS_MAX,
    },
    {
      what: `${number(MADE_UP_RULES)} rules in memory`,
      measured: `${number(heap / BYTES_PER_MB)} MB`,
      aim: `under ${number(HEAP_BYTES_MAX / BYTES_PER_MB)} MB`,
      reached: heap < HEAP_BYTES_MAX,
    },
  ];
}

export function reportOf(runs: readonly Measured[], types: Report["types"], machine = thisMachine()): Report {
  const sets = (Object.keys(SETS) as SetName[]).map((set) => figuresOf(set, runs));
  const cost = (name: SetName) => sets.find(({ set }) => set === name)?.nsPerEvent?.median ?? Number.NaN;
  const events = median(runs.map((run) => run.events)) ?? 0;
  return { machine, events, types, sets, growth: cost("many") / cost("starter"), aims: aimsOf(sets) };
}

export function reportText({ machine, events, types, sets, growth, aims }: Report): string {
  const rows = sets.map((each) => [
    each.set,
    ...[each.rules, each.refused, each.matches].map((count) => count.toLocaleString("en")),
    shown(each.eventsPerS),
    shown(each.nsPerEvent),
    shown(each.loadMs),
    shown(each.loadClockMs),
    ...[each.heapBytes, each.peakResidentBytes].map((bytes) => number((bytes?.median ?? Number.NaN) / BYTES_PER_MB)),
  ]);
  const aimRows = aims.map(({ what, measured, aim, reached }) => [
    ...[what, measured, aim],
    reached ? "reached" : "not reached",
  ]);
  return [
    machineText(machine),
    `${events.toLocaleString("en")} recorded events: ${types.map(([type, count]) => `${type} ${count}`).join(", ")}`,
    "one core, CPU time, decoding included; medians over rounds [least..most]",
    table([
      [
        "set",
        "rules",
        "refused",
        "matches",
        "events/s",
        "ns/event",
        "load, CPU ms",
        "on the clock",
        "heap, MB",
        "peak, MB",
      ],
      ...rows,
    ]),
    `An event costs ${number(growth)} times as much with ${number(MADE_UP_RULES)} rules as with the starter rules.`,
    `aims\n${table([["", "measured", "aim", ""], ...aimRows])}`,
  ].join("\n\n");
}
