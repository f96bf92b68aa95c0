// What becomes of indicators when the portal is not heard: deleted, with all memory of having asked.
import type { LookUpStore } from "./store.ts";

export interface SweepOptions {
  store: LookUpStore;
  /** After so long without the portal all goes; what waits for its answer so long goes alone. */
  staleMs: number;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Tells those who ask that all is forgotten; resolves when they will hear it, also after a crash. */
  purged: (contactAtMs: number) => Promise<void>;
  /** Told how many were deleted. */
  told: (count: number) => void;
}

/** Told before it is deleted: killed in between it is told and deleted again, and never deleted untold. */
export async function sweep({ store, staleMs, clock, purged, told }: SweepOptions): Promise<void> {
  const before = clock() - staleMs;
  if (store.contactAtMs <= before && store.entries > 0) {
    await purged(store.contactAtMs);
    told(await store.purge());
    return;
  }
  const deleted = await store.deleteWaitingBefore(before);
  if (deleted > 0) told(deleted);
}
