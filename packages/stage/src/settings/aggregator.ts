// The settings of the aggregator: which indicators it collects, how often it asks, and what it remembers.
import { boolean, integer, type SettingTable } from "../setting.ts";

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
  in_flight_messages: integer({
    default: 32,
    min: 1,
    max: 256,
    unit: "messages",
    doc: "How many messages of FACTS and of VERDICTS, each, may be under work before no more are read.",
  }),
} satisfies SettingTable;
