// Waits until what is read stays the same, so that a file in the middle of being written is not taken for changed.
import { setTimeout as pause } from "node:timers/promises";

const LOOK_MS = 100;
/** Then what there is, is taken; should it change again, it is looked at again. */
const LOOKS_MAX = 50;

/** Reads until two looks in a row give the same version. */
export async function settled<T extends { version: string }>(read: () => T, signal: AbortSignal): Promise<T> {
  let last = read();
  for (let look = 0; look < LOOKS_MAX && !signal.aborted; look++) {
    await pause(LOOK_MS);
    const now = read();
    if (now.version === last.version) return now;
    last = now;
  }
  return last;
}
