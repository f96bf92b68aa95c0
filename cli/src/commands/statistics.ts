// `nightjar get-statistics`: an account of all events that balances, with rates, lag, caches, rules and memory.
import type { NatsConnection } from "@nats-io/transport-node";
import { pause } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { type Reading, takeReading } from "../connect/reading.ts";
import { showStatistics, statisticsOf } from "../show/statistics.ts";

const INTERVAL_S_MIN = 0.1;
const INTERVAL_S_MAX = 3_600;
const MS_PER_S = 1_000;
/** The cursor to the upper left corner, and what is below it away: nothing flickers. */
const REDRAW = "\u001b[H\u001b[J";

interface StatisticsOptions {
  watch?: boolean;
  interval: string;
}

export function statisticsCommand(environment: Environment): Command {
  return define<StatisticsOptions>(environment, {
    name: "get-statistics",
    description:
      "Print the totals: events seen, filtered, governed, folded, submitted, dropped, published, processed; " +
      "detections; of each stage its rate, processor, memory and lag; what is kept, facts and indicators, the rules " +
      "that cost most.",
    options: [
      new Option("-w, --watch", "draw them again and again, until Ctrl-C"),
      new Option("--interval <seconds>", "between the two readings that rates are made of").default("1"),
    ],
    examples: ["nightjar get-statistics --watch", "nightjar get-statistics --json | jq .stages"],
    action: async (context, { watch, interval }) => {
      const seconds = Number(interval);
      if (!(seconds >= INTERVAL_S_MIN && seconds <= INTERVAL_S_MAX)) {
        throw new CommandError("USAGE", `--interval: from ${INTERVAL_S_MIN} to ${INTERVAL_S_MAX} seconds are allowed`);
      }
      const connection = await connectAs(context.stateDir, "operator");
      try {
        await tell(context, connection, seconds * MS_PER_S, watch === true);
      } finally {
        await connection.close();
      }
      return "OK";
    },
  });
}

async function tell(context: Context, connection: NatsConnection, intervalMs: number, watch: boolean): Promise<void> {
  const { output, signal, stateDir, streams } = context;
  const redraw = watch && !output.isJson && streams.stdout.isTTY === true;
  let before: Reading = await takeReading(connection, stateDir);
  do {
    await pause(intervalMs, signal);
    if (watch && signal.aborted) return;
    const now = await takeReading(connection, stateDir);
    if (redraw) output.raw(REDRAW);
    showStatistics(output, now, before);
    output.json(statisticsOf(now, before));
    before = now;
  } while (watch && !signal.aborted);
}
