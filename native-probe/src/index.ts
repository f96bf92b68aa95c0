// The probe's interface: what the kernel sees, as encoded batches.
export { ProbeError } from "./errors.ts";
export { GOVERNED, GOVERNED_READS_PER_S, GOVERNED_SAMPLE, type Governed } from "./governor.ts";
export { askKernel, type Offer } from "./offers.ts";
export { openPinnedProbe, type PinnedOptions, type PinnedProbe, peekPinned, RetiredRing } from "./pins.ts";
export {
  type Attachment,
  type Ledger,
  type OwnProcess,
  openProbe,
  Probe,
  type ProbeOptions,
  type ReadEnd,
  RING_BYTES_DEFAULT,
} from "./probe.ts";
