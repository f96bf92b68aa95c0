// The settings of the stage enricher.
import type { SettingTable } from "../setting.ts";

export const enricherSettings = {} satisfies SettingTable;
