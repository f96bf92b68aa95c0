// The settings of the command line and of the supervisor in `nightjar run`.
import { choice, integer, type SettingTable } from "../setting.ts";

export const cliSettings = {
  color: choice({
    choices: ["auto", "always", "never"],
    default: "auto",
    doc: "Whether output has colours. `auto` is a terminal without NO_COLOR.",
  }),
  restart_delay_max_ms: integer({
    default: 10_000,
    min: 50,
    max: 600_000,
    unit: "ms",
    doc:
      "The longest wait before `nightjar run` starts a stage again that keeps ending; it begins at 50 ms and " +
      "doubles.",
  }),
  stop_timeout_ms: integer({
    default: 10_000,
    min: 100,
    max: 120_000,
    unit: "ms",
    doc: "How long `nightjar run` waits for one stage to end by itself before it is killed.",
  }),
} satisfies SettingTable;
