// The settings of the stage metadata: which runtimes it asks, and how patiently.
import { boolean, type SettingTable } from "../setting.ts";

export const metadataSettings = {
  runtimes: boolean({
    default: true,
    doc: "Whether container runtimes are asked for names, images, labels and the like of containers.",
  }),
} satisfies SettingTable;
