// The settings of the stage cli.
import type { SettingTable } from "../setting.ts";

export const cliSettings = {} satisfies SettingTable;
