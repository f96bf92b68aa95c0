// Measures the inventory: CPU of events that bring nothing new, 100,000 executables on disk, and a quiet hour's delta.
//
//   nightjar bench inventory [--json] [--rounds N]
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busySeconds, thisMachine } from "../common/machine.ts";
import { spread } from "../common/statistics.ts";
import { machineText, number, shown, table } from "../common/text.ts";

const ROUNDS_DEFAULT = 3;
const AGGREGATOR = join(import.meta.dirname, "../../services/aggregator/dist/main.js");
const MEASUREMENTS = ["events", "disk", "quiet-hour"];
const BYTES_PER_MB = 1e6;
const BYTES_PER_KB = 1e3;

/** What is shown of each figure, and what it is meant to be at most. */
const FIGURES: readonly (readonly [name: string, what: string, divisor: number, unit: string, atMost?: number])[] = [
  ["us_per_exec", "CPU of an exec of a known program", 1, "µs", 0.5],
  ["us_per_library", "CPU of a known library that is mapped", 1, "µs", 0.5],
  ["disk_bytes", "100,000 executables on disk", BYTES_PER_MB, "MB", 200],
  ["memory_bytes", "the same in memory", BYTES_PER_MB, "MB"],
  ["snapshot_bytes", "a snapshot of 50 services", BYTES_PER_KB, "kB"],
  ["quiet_hour_bytes", "what is told of an hour of cron", BYTES_PER_KB, "kB", 10],
];

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: String(ROUNDS_DEFAULT) } },
});
const machine = thisMachine();
const busyBefore = busySeconds();
const found = new Map<string, number[]>();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const name of MEASUREMENTS) {
    const said = execFileSync(process.execPath, ["--expose-gc", AGGREGATOR, "--measure", name], { encoding: "utf8" });
    const figures = Object.entries(JSON.parse(said) as Record<string, number>);
    for (const [figure, value] of figures) found.set(figure, [...(found.get(figure) ?? []), value]);
  }
}
const busyS = busySeconds() - busyBefore;
const results = Object.fromEntries([...found].map(([figure, all]) => [figure, spread(all)]));
if (values.json) console.log(JSON.stringify({ machine, results, busyS }));
else {
  console.log(`${machineText(machine)}; the machine took ${number(busyS)} s of processor meanwhile`);
  const rows = FIGURES.map(([figure, what, divisor, unit, atMost]) => {
    const scaled = spread((found.get(figure) ?? []).map((value) => value / divisor));
    return [what, `${shown(scaled)} ${unit}`, atMost === undefined ? "" : `${atMost} ${unit}`];
  });
  console.log(table([["measured", `median of ${values.rounds}`, "meant at most"], ...rows]));
}
