// The settings of the rule engine.
import { boolean, choice, integer, list, type SettingTable } from "../setting.ts";

export const ruleEngineSettings = {
  rules: list({
    default: [],
    doc: "Files or folders of rules, in order. Empty means the starter rules that come with Nightjar.",
  }),
  suppressions: list({
    default: [],
    doc: "Files or folders of suppressions: exceptions beside the rules, each with its condition, reason and end.",
  }),
  rule_matching: choice({
    default: "all",
    choices: ["all", "first"],
    doc:
      "Which of the rules that are true of an event are told: all, so that no rule hides another, or the first in " +
      "the order in which they were loaded, as Falco does by default.",
  }),
  fold_repeats: boolean({
    default: true,
    doc: "Repeats of a detection are counted in it. Without, each is a detection of its own.",
  }),
  workers: integer({
    default: 1,
    min: 1,
    max: 16,
    unit: "threads",
    doc: "Threads that evaluate rules.",
  }),
  in_flight_batches: integer({
    default: 32,
    min: 1,
    max: 256,
    unit: "batches",
    doc: "How many batches may be under evaluation or wait for their detections' acknowledgement.",
  }),
} satisfies SettingTable;
