// The settings of the aggregator: which indicators it collects, how often it asks, and what it remembers.
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
  in_flight_messages: integer({
    default: 32,
    min: 1,
    max: 256,
    unit: "messages",
    doc: "How many messages of FACTS and of VERDICTS, each, may be under work before no more are read.",
  }),
} satisfies SettingTable;
