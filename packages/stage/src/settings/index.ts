// The catalogue of all settings, by section.
import type { SettingTable, Values } from "../setting.ts";
import { aggregatorSettings } from "./aggregator.ts";
import { apiSettings } from "./api.ts";
import { busSettings } from "./bus.ts";
import { cliSettings } from "./cli.ts";
import { collectorSettings } from "./collector.ts";
import { commonSettings } from "./common.ts";
import { contentSettings } from "./content.ts";
import { enricherSettings } from "./enricher.ts";
import { governorSettings } from "./governor.ts";
import { metadataSettings } from "./metadata.ts";
import { metricsSettings } from "./metrics.ts";
import { outputsSettings } from "./outputs.ts";
import { portalSettings } from "./portal.ts";
import { redactSettings } from "./redact.ts";
import { ruleEngineSettings } from "./rule-engine.ts";
import { uplinkSettings } from "./uplink.ts";

/** Section by section; the settings of `common` are named without their section. */
export const settingCatalogue = {
  common: commonSettings,
  bus: busSettings,
  collector: collectorSettings,
  governor: governorSettings,
  metadata: metadataSettings,
  enricher: enricherSettings,
  rule_engine: ruleEngineSettings,
  aggregator: aggregatorSettings,
  uplink: uplinkSettings,
  api: apiSettings,
  content: contentSettings,
  metrics: metricsSettings,
  outputs: outputsSettings,
  portal: portalSettings,
  redact: redactSettings,
  cli: cliSettings,
} satisfies Record<string, SettingTable>;

export type SettingSection = keyof typeof settingCatalogue;
export type Settings = { readonly [S in SettingSection]: Values<(typeof settingCatalogue)[S]> };
