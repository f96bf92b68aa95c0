// What an output is: a name, where it goes, how much it takes at once, and how it sends.
import type { Detection } from "@nightjar/proto";

export type OutputName = "file" | "syslog" | "webhook" | "otlp";

export interface Output {
  readonly name: OutputName;
  /** For a person, without what could be secret. */
  readonly target: string;
  readonly format: string;
  /** Detections that one call of `send` takes, and calls that go on at the same time. */
  readonly batchMax: number;
  readonly parallelMax: number;
  /**
   * Resolves when the receiver has taken them, or says that it left some out for good; rejects with an OutputFailure,
   * also when `signal` is aborted.
   */
  send(detections: readonly Detection[], signal: AbortSignal): Promise<LeftOut | undefined>;
}

/** So many of a batch the receiver will never take; which they are it does not say. */
export interface LeftOut {
  count: number;
  why: string;
}

/** The receiver did not take what was sent, or could not be reached. */
export class OutputFailure extends Error {
  /** Sent again as it is it would be refused again. */
  readonly permanent: boolean;
  /** How long the receiver asks to be left alone. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { permanent?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.permanent = options.permanent ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}
