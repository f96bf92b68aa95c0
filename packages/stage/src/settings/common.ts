// The settings that every stage and the command line share.
import { choice, path, type SettingTable } from "../setting.ts";

export const commonSettings = {
  state_dir: path({
    default: "",
    doc:
      "The sensor's state folder. Several sensors run side by side in different ones. `nightjar run` takes `.state` " +
      "in the checkout when it is empty.",
  }),
  log_level: choice({
    choices: ["error", "warn", "info", "debug"],
    default: "info",
    doc: "The least severe messages that are logged.",
  }),
} satisfies SettingTable;
