// The settings of the embedded portal.
import { integer, type SettingTable } from "../setting.ts";

export const portalSettings = {
  port: integer({
    default: 0,
    min: 0,
    max: 65_535,
    doc:
      "The port on 127.0.0.1 where the portal listens. 0 takes a free one at the first start and " +
      "keeps it as long as no one else has it.",
  }),
  retention_days: integer({
    default: 30,
    min: 1,
    max: 3_650,
    unit: "days",
    doc: "How long the portal keeps a detection after it came.",
  }),
  token_lifetime_s: integer({
    default: 3_600,
    min: 60,
    max: 86_400,
    unit: "s",
    doc: "How long an access token is good that the portal gives for a service account's credentials.",
  }),
} satisfies SettingTable;
