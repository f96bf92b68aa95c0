// What the running kernel offers a probe, found out by trying each.
import { errnoName } from "./errors.ts";
import { loadAddon } from "./native.ts";

export interface Offer {
  /** A kind of place or of thing: "btf", "ring buffer", "fentry", "fexit", "lsm", "tp_btf", "raw_tp", "kprobe", … */
  name: string;
  offered: boolean;
  /** The errno's name, where the kernel refuses. */
  code?: string;
}

/** Tries all of them, which takes the kernel some milliseconds each. Throws where the addon cannot be loaded. */
export function askKernel(): Offer[] {
  return loadAddon()
    .askKernel()
    .map(({ name, errno }) => ({ name, offered: errno === 0, ...(errno === 0 ? {} : { code: errnoName(errno) }) }));
}
