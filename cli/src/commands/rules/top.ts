// `nightjar rules top`: what the rules of the running sensor do: how often each was asked, matched, and what it cost.
import { type RuleActivity, RuleActivitySchema, type StageStatus } from "@nightjar/proto";
import { askStatuses, pause } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import { connectAs } from "../../connect/bus.ts";
import type { ExitName } from "../../exit-codes.ts";
import { toPlain } from "../../show/plain.ts";
import { table } from "../../show/table.ts";
import { count, printable } from "../../show/text.ts";

type Figure = "time" | "matched" | "evaluated";

interface TopOptions {
  by: Figure;
  count: string;
  every?: string;
}

const FIGURES: Readonly<Record<Figure, (activity: RuleActivity) => bigint>> = {
  time: ({ timeNs }) => timeNs,
  matched: ({ matched }) => matched,
  evaluated: ({ evaluated }) => evaluated,
};
const RULES_SHOWN = "20";
const EVERY_S_MAX = 3_600;

export function topRulesCommand(environment: Environment): Command {
  return define<TopOptions>(environment, {
    name: "top",
    description:
      "Show what the rules of the running sensor did since it started: how often each was asked and matched, what " +
      "became of that, and the processor time it took, reckoned from a sample.",
    options: [
      new Option("--by <figure>", "what comes first").choices(Object.keys(FIGURES)).default("time"),
      new Option("--count <count>", "show so many rules").default(RULES_SHOWN),
      new Option("--every <seconds>", "show it again and again, until Ctrl-C"),
    ],
    examples: [
      "nightjar rules top",
      "nightjar rules top --by matched --every 5",
      "nightjar rules top --json | jq .name",
    ],
    action: (context, options) => top(context, options),
  });
}

async function top(context: Context, { by, count: wanted, every }: TopOptions): Promise<ExitName> {
  const rules = Number(wanted);
  const seconds = every === undefined ? undefined : Number(every);
  if (!Number.isSafeInteger(rules) || rules < 1) throw new CommandError("USAGE", "--count is a whole number from 1 on");
  if (seconds !== undefined && !(seconds > 0 && seconds <= EVERY_S_MAX)) {
    throw new CommandError("USAGE", `--every: more than 0 and at most ${EVERY_S_MAX} seconds`);
  }
  const connection = await connectAs(context.stateDir, "operator");
  try {
    do {
      const engine = (await askStatuses(connection)).find(({ stage }) => stage === "rule-engine");
      if (!engine) throw new CommandError("NOT_RUNNING", "the rule engine does not answer");
      show(context, engine, FIGURES[by], rules);
      if (seconds !== undefined) await pause(seconds * 1_000, context.signal);
    } while (seconds !== undefined && !context.signal.aborted);
  } finally {
    await connection.close();
  }
  return "OK";
}

function show({ output }: Context, engine: StageStatus, figure: (typeof FIGURES)[Figure], most: number): void {
  const sorted = [...engine.rules].sort((a, b) => Number(figure(b) - figure(a))).slice(0, most);
  const total = engine.rules.reduce((sum, { timeNs }) => sum + timeNs, 0n);
  const rows = sorted.map((one) => [
    ...[one.evaluated, one.matched, one.detected, one.folded, one.suppressed].map(count),
    `${(Number(one.timeNs) / 1e6).toFixed(1)} ms`,
    total === 0n ? "–" : `${((100 * Number(one.timeNs)) / Number(total)).toFixed(1)} %`,
    printable(one.name),
  ]);
  const header = ["ASKED", "MATCHED", "DETECTED", "FOLDED", "SUPPRESSED", "TIME", "SHARE", "RULE"];
  for (const line of table([header, ...rows], [0, 1, 2, 3, 4, 5, 6])) output.line(line);
  for (const one of sorted) output.json(ruleJson(one));
  if (engine.rulesOmitted > 0) output.note(`${engine.rulesOmitted} more rules that matched less are not told of`);
}

/** All figures as numbers, the noughts too, which messages leave out. */
function ruleJson(one: RuleActivity): Record<string, unknown> {
  const { name } = toPlain(RuleActivitySchema, one);
  const { evaluated, matched, suppressed, detected, folded, timeNs } = one;
  const figures = { evaluated, matched, suppressed, detected, folded, time_ns: timeNs };
  return { name, ...Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Number(value)])) };
}
