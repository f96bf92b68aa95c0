// The settings of the stage portal.
import type { SettingTable } from "../setting.ts";

export const portalSettings = {} satisfies SettingTable;
