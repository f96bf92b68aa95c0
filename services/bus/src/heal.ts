// Judges whether a durable has lost sight of messages of its stream, as servers before 2.11.4 make it after a crash.

/** Checks in a row, a second apart, in which unaccounted messages do not shrink. */
const SUSPECT_CHECKS_MAX = 3;

/** Of a stream at one moment. */
export interface QueueState {
  messages: number;
  lastSeq: number;
}

/** Of its durable at one moment. */
export interface ReaderState {
  pending: number;
  ackPending: number;
  deliveredSeq: number;
}

/** What earlier checks of the same durable found. */
export interface Suspicion {
  checks: number;
  unaccounted: number;
}

export const NO_SUSPICION: Suspicion = { checks: 0, unaccounted: 0 };

export interface Verdict {
  suspicion: Suspicion;
  /** Set when the durable must be made anew: why, for a person. */
  heal?: string;
}

/**
 * Messages of the stream that its reader neither has nor will get. The reader was looked at before the stream and
 * after it: traffic in between can only raise one of the two differences, so the smaller one counts.
 */
export function unaccountedMessages(before: ReaderState, queue: QueueState, after: ReaderState): number {
  const missing = (reader: ReaderState) => queue.messages - reader.pending - reader.ackPending;
  return Math.max(0, Math.min(missing(before), missing(after)));
}

/** Judges one check. `before` is the reader's state before the stream's was read. */
export function judge(earlier: Suspicion, before: ReaderState, queue: QueueState, unaccounted: number): Verdict {
  if (before.deliveredSeq > queue.lastSeq) {
    const heal = `it stands at ${before.deliveredSeq}, the stream ends at ${queue.lastSeq}`;
    return { suspicion: NO_SUSPICION, heal };
  }
  if (unaccounted === 0) return { suspicion: NO_SUSPICION };
  const shrinks = earlier.checks > 0 && unaccounted < earlier.unaccounted;
  const suspicion = { checks: shrinks ? 1 : earlier.checks + 1, unaccounted };
  if (suspicion.checks < SUSPECT_CHECKS_MAX) return { suspicion };
  return { suspicion: NO_SUSPICION, heal: `it does not see ${unaccounted} messages of its stream` };
}
