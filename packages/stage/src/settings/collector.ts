// The settings of the collector.
import { integer, path, type SettingTable } from "../setting.ts";

const MIB = 1024 * 1024;

export const collectorSettings = {
  ring_bytes: integer({
    default: 8 * MIB,
    min: 64 * 1024,
    max: 256 * MIB,
    unit: "bytes",
    doc: "Size of the kernel's ring buffer, a power of two. It holds what happens while the collector cannot publish.",
  }),
  in_flight_batches: integer({
    default: 32,
    min: 1,
    max: 256,
    unit: "batches",
    doc: "How many batches may wait for the bus's acknowledgement before the ring is left to fill.",
  }),
  replay_file: path({
    default: "",
    doc: "A recording to publish instead of what the kernel shows. The probe is not loaded then.",
  }),
} satisfies SettingTable;
