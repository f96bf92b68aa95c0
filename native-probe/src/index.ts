// The probe's interface: what the kernel sees, as encoded batches.
export { ProbeError } from "./errors.ts";
export {
  type Attachment,
  type Ledger,
  type OpenInterest,
  type OwnProcess,
  openProbe,
  Probe,
  type ProbeOptions,
  RING_BYTES_DEFAULT,
} from "./probe.ts";
