// The settings of the enricher.
import { integer, type SettingTable } from "../setting.ts";

const MIB = 1024 * 1024;

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
  hash_file_bytes_max: integer({
    default: 512 * MIB,
    min: 0,
    max: 64 * 1024 * MIB,
    unit: "bytes",
    doc: "Executed and mapped files up to this size are read for their SHA-256; of larger ones detections say so.",
  }),
  hash_bytes_per_s: integer({
    default: 128 * MIB,
    min: MIB,
    max: 64 * 1024 * MIB,
    unit: "bytes per second",
    doc: "So fast each of the two threads reads at most; what was not used in 8 s may be used at once.",
  }),
} satisfies SettingTable;
