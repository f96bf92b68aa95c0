// The settings of the stage uplink.
import type { SettingTable } from "../setting.ts";

export const uplinkSettings = {} satisfies SettingTable;
