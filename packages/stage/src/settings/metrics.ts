// The settings of the metrics for Prometheus.
import { integer, type SettingTable } from "../setting.ts";

export const metricsSettings = {
  port: integer({
    default: 0,
    min: 0,
    max: 65_535,
    doc:
      "Loopback port on which the uplink tells Prometheus of all stages, at /metrics. Everybody on the host may ask: " +
      "counts, names of rules and codes of health issues, nothing of any event. 0 leaves it off.",
  }),
} satisfies SettingTable;
