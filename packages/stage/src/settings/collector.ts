// The settings of the collector.
import { choice, integer, path, type Setting, type SettingTable } from "../setting.ts";

const MIB = 1024 * 1024;

const RING_BYTES_MIN = 64 * 1024;
const RING_BYTES_MAX = 256 * MIB;

const sizes = integer({
  default: 0,
  min: RING_BYTES_MIN,
  max: RING_BYTES_MAX,
  unit: "bytes",
  doc:
    "Size of the kernel's ring buffer, a power of two: memory of the host's. It holds what happens while the " +
    "collector is away or cannot publish. 0 reckons it from the busiest time so far and collector.restart_s: at " +
    "least 8 MiB, at most 64 MiB and at most a 64th of the memory.",
});

const ringBytes: Setting<number> & { readonly min: number } = {
  ...sizes,
  min: RING_BYTES_MIN,
  allowed: `0, or ${sizes.allowed}`,
  read: (value) => (String(value).trim() === "0" ? 0 : sizes.read(value)),
};

export const collectorSettings = {
  ring_bytes: ringBytes,
  restart_s: integer({
    default: 10,
    min: 1,
    max: 600,
    unit: "s",
    doc: "How long the collector may be away without a loss: a ring buffer of automatic size is reckoned from it.",
  }),
  bpffs: path({
    default: "/sys/fs/bpf",
    doc:
      "The BPF file system in which the kernel programs are pinned, so that they go on while the collector is away. " +
      "Mounted where there is none. Empty pins nothing: what happens while the collector is away is not seen then.",
  }),
  reader_gone_after_s: integer({
    default: 60,
    min: 10,
    max: 3_600,
    unit: "s",
    doc: "After so long without a collector the kernel programs record nothing more, and only count what they drop.",
  }),
  fold_window_s: integer({
    default: 3_600,
    min: 0,
    max: 86_400,
    unit: "s",
    doc:
      "In how long a time one event is told of many that say the same: of libraries mapped, and of what no rule but " +
      "only the inventory wants. 0 tells each.",
  }),
  in_flight_batches: integer({
    default: 32,
    min: 1,
    max: 256,
    unit: "batches",
    doc: "How many batches may wait for the bus's acknowledgement before the ring is left to fill.",
  }),
  calls_seen_at: choice({
    default: "tracepoint",
    choices: ["tracepoint", "functions"],
    doc:
      "Where system calls are seen: at the tracepoint that all pass when they return (0.1 µs each), or at the ends " +
      "of the functions of those that events report, where the kernel allows it: others then cost nothing, the start " +
      "takes longer, and a call that seccomp refuses is not seen.",
  }),
  replay_file: path({
    default: "",
    doc: "A recording to publish instead of what the kernel shows. The probe is not loaded then.",
  }),
} satisfies SettingTable;
