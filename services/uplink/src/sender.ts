// Empties the outbox into the portal: at once when it can, patiently when it cannot.
import type { Backoff } from "@nightjar/stage";
import { failureOf, type PortalFailure } from "./failure.ts";
import { SEND_BYTES_MAX, SEND_DETECTIONS_MAX } from "./limits.ts";
import type { Entry, Outbox } from "./outbox.ts";

export interface SenderOptions {
  outbox: Outbox;
  /** Resolves when the portal has stored the encoded detections; rejects with a PortalFailure. */
  send: (detections: Uint8Array[]) => Promise<void>;
  backoff: Backoff;
  /** Resolves after `ms`, or when it is worth while to try earlier. */
  wait: (ms: number) => Promise<void>;
  sent: (count: number) => void;
  failed: (failure: PortalFailure) => void;
  /** The portal will never take this one; it is kept aside. */
  refused: (entry: Entry, why: string) => void;
}

/** Runs until `signal` is aborted. One call at a time: what comes meanwhile goes together with the next. */
export async function runSender(options: SenderOptions, signal: AbortSignal): Promise<void> {
  const { outbox, backoff } = options;
  while (!signal.aborted) {
    await outbox.waitForEntries(signal);
    const entries = signal.aborted ? [] : await outbox.take(SEND_DETECTIONS_MAX, SEND_BYTES_MAX);
    if (entries.length === 0) continue;
    try {
      await options.send(entries.map((entry) => entry.encoded));
      await outbox.remove(entries);
      backoff.reset();
      options.sent(entries.length);
    } catch (error) {
      if (signal.aborted) return;
      await afterFailure(options, entries, failureOf(error));
    }
  }
}

async function afterFailure(options: SenderOptions, entries: Entry[], failure: PortalFailure): Promise<void> {
  const refused = failure.refusedIndex === undefined ? undefined : entries[failure.refusedIndex];
  if (refused) {
    // The others are innocent and go again at once.
    await options.outbox.setAside(refused);
    options.refused(refused, failure.resp);
    return;
  }
  options.failed(failure);
  await options.wait(options.backoff.next());
}
