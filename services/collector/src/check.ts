// What the kernel lets the probe do, told without watching: for `nightjar doctor`.
import { type Attachment, askKernel, type Offer, openProbe, type ProbeError } from "@nightjar/native-probe";

/** Does not try to load the programs: those of a running sensor are there already. */
const OFFERS_ONLY = "offers";
/** The smallest ring: nothing of it is read. */
const RING_BYTES = 64 * 1024;

export interface KernelCheck {
  offers: Offer[];
  /** What would be attached where; empty where it was not tried or nothing could be loaded. */
  attachments: readonly Attachment[];
  /** Why nothing could be loaded. */
  refusal?: { code: string; message: string; cause: string; hints: readonly string[] };
}

/** Asks what there is, and unless told otherwise loads the real programs once. */
export async function checkKernel(args: readonly string[]): Promise<KernelCheck> {
  const check: KernelCheck = { offers: [], attachments: [] };
  try {
    check.offers = askKernel();
    if (args.includes(OFFERS_ONLY)) return check;
    const probe = openProbe({ ringBytes: RING_BYTES, onBatch: (_bytes, _first, next) => probe.release(next) });
    check.attachments = probe.attachments;
    await probe.stop();
  } catch (error) {
    const { message, code = "PROBE_NOT_BUILT", cause = "", hints = [] } = error as Partial<ProbeError> & Error;
    check.refusal = { code, message, cause: String(cause), hints };
  }
  return check;
}
