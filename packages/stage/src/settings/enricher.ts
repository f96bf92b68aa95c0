// The settings of the enricher.
import { integer, type SettingTable } from "../setting.ts";

export const enricherSettings = {
  in_flight_batches: integer({
    default: 32,
    min: 1,
    max: 256,
    unit: "batches",
    doc: "How many batches may wait for the bus's acknowledgement before no more are read.",
  }),
  processes_max: integer({
    default: 131_072,
    min: 1_024,
    max: 4_194_304,
    unit: "processes",
    doc: "Processes that are followed, ended ones included; about 1.2 KB each. Above it those unheard of longest go.",
  }),
} satisfies SettingTable;
