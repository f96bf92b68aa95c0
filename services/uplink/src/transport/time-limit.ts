// Gives work on the way to the portal a limited time.
import { failureOf, failureWords, PortalFailure } from "../failure.ts";

/** What `work` gives, within `ms`. Rejects with a PortalFailure, "timeout" where the time was over. */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = AbortSignal.timeout(ms);
  try {
    return await work(AbortSignal.any([signal, over]));
  } catch (error) {
    if (over.aborted) throw new PortalFailure("timeout", failureWords.timeout.message, `no answer in ${ms} ms`, error);
    throw failureOf(error);
  }
}
