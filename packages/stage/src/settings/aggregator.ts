// The settings of the aggregator: which indicators it collects, and how it keeps the inventory.
import { boolean, integer, type SettingTable } from "../setting.ts";

const MIB = 1024 * 1024;

export const aggregatorSettings = {
  file_indicators: boolean({
    default: true,
    doc: "Digests of executed and mapped files are collected and looked up.",
  }),
  address_indicators: boolean({
    default: true,
    doc: "Addresses that processes connect to are collected and looked up.",
  }),
  domain_indicators: boolean({
    default: true,
    doc: "Domains that processes ask DNS for are collected and looked up.",
  }),
  indicator_window_s: integer({
    default: 3_600,
    min: 60,
    max: 86_400,
    unit: "s",
    doc: "In how long a time an indicator that is shown again and again is asked for once.",
  }),
  indicator_kept_h: integer({
    default: 24,
    min: 1,
    max: 168,
    unit: "h",
    doc:
      "How long the processes that showed an indicator are kept: so much later may a verdict come and still name " +
      "them. What is shown after it is a detection of its own.",
  }),
  indicators_max: integer({
    default: 20_000,
    min: 100,
    max: 1_000_000,
    unit: "indicators",
    doc: "Indicators that are kept, about 0.5 KB of memory each. Above it the oldest go.",
  }),
  evidence_bytes: integer({
    default: 64 * MIB,
    min: MIB,
    max: 4_096 * MIB,
    unit: "bytes",
    doc: "How much the processes that showed them may take on disk together. Above it the oldest indicators go.",
  }),
  inventory_items_max: integer({
    default: 20_000,
    min: 1_000,
    max: 500_000,
    unit: "items",
    doc: "Items of the runtime inventory that are kept, about 2 KB of memory each. Above it those unseen longest go.",
  }),
  inventory_kept_h: integer({
    default: 720,
    min: 48,
    max: 8_760,
    unit: "h",
    doc: "How long what is not seen any more stays in the inventory.",
  }),
  inventory_sweep_s: integer({
    default: 300,
    min: 5,
    max: 86_400,
    unit: "s",
    doc:
      "How often all processes are looked at for what they have loaded and listen on. Who begins to run a program is " +
      "looked at a moment later in any case, and so are all when a file in use was replaced.",
  }),
  inventory_settled_s: integer({
    default: 60,
    min: 0,
    max: 3_600,
    unit: "s",
    doc:
      "How long a process has to live for the portal to be told that it runs. What ends sooner is counted, and told " +
      "when it is seen first. Programs that listen are told at once.",
  }),
  inventory_interval_s: integer({
    default: 300,
    min: 1,
    max: 86_400,
    unit: "s",
    doc: "How often the portal is told what changed in the inventory.",
  }),
  inventory_file_s: integer({
    default: 900,
    min: 10,
    max: 86_400,
    unit: "s",
    doc: "How often the inventory of the last 48 hours is written to files that others read.",
  }),
  in_flight_messages: integer({
    default: 32,
    min: 1,
    max: 256,
    unit: "messages",
    doc: "How many messages of FACTS and of VERDICTS, each, may be under work before no more are read.",
  }),
} satisfies SettingTable;
