// The settings of the stage bus.
import type { SettingTable } from "../setting.ts";

export const busSettings = {} satisfies SettingTable;
