// `nightjar get-statistics`: the totals, from what the kernel saw to what was detected, as an account that balances.
import type { Command } from "commander";
import { define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { readSensorState } from "../connect/sensor-state.ts";
import { showStatistics, statisticsOf } from "../show/statistics.ts";

export function statisticsCommand(environment: Environment): Command {
  return define(environment, {
    name: "get-statistics",
    description:
      "Print the totals: events seen, filtered, folded, submitted, dropped, published, processed; detections.",
    action: async ({ output, stateDir }) => {
      const connection = await connectAs(stateDir, "operator");
      try {
        const state = await readSensorState(connection, stateDir);
        showStatistics(output, state);
        output.json(statisticsOf(state));
      } finally {
        await connection.close();
      }
      return "OK";
    },
  });
}
