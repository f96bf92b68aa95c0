// Empties an output's queue into the output: patiently, and around a detection that its receiver will never take.
import type { Backoff } from "@nightjar/stage";
import { detectionIn } from "../encoded.ts";
import { SEND_BYTES_MAX } from "../limits.ts";
import type { Entry, Outbox } from "../outbox.ts";
import { type LeftOut, type Output, OutputFailure } from "./output.ts";

export interface DeliveryOptions {
  queue: Outbox;
  output: Pick<Output, "batchMax" | "parallelMax" | "send">;
  backoff: Backoff;
  /** Resolves after `ms`, or when the output stops. */
  wait: (ms: number) => Promise<void>;
  sent: (count: number) => void;
  failed: (failure: OutputFailure) => void;
  /** The receiver will never take this one; it is kept aside. */
  refused: (entry: Entry, why: string) => void;
  /** Of a batch that it took, it left some out. */
  leftOut: (leftOut: LeftOut) => void;
}

/** Runs until `signal` is aborted. What was not confirmed stays in the queue and goes again: at least once. */
export async function runDelivery(options: DeliveryOptions, signal: AbortSignal): Promise<void> {
  const { queue, output, backoff } = options;
  while (!signal.aborted) {
    await queue.waitForEntries(signal);
    if (signal.aborted) return;
    const entries = await queue.take(output.batchMax * output.parallelMax, SEND_BYTES_MAX);
    const batches = partsOf(entries, output.batchMax);
    const failures = await Promise.all(batches.map((batch) => deliver(options, batch, signal)));
    const failure = failures.find((one) => one !== undefined);
    if (failure === undefined) {
      backoff.reset();
    } else if (!signal.aborted) {
      options.failed(failure);
      await options.wait(Math.max(backoff.next(), failure.retryAfterMs));
    }
  }
}

/** Resolves with why the batch is to be tried again; undefined when all of it has left the queue. */
async function deliver(
  options: DeliveryOptions,
  batch: readonly Entry[],
  signal: AbortSignal,
): Promise<OutputFailure | undefined> {
  const { queue, output, sent, refused } = options;
  try {
    const detections = batch.map(detectionIn);
    const leftOut = await output.send(detections, signal);
    await queue.remove(batch);
    sent(batch.length - (leftOut?.count ?? 0));
    if (leftOut) options.leftOut(leftOut);
    return undefined;
  } catch (error) {
    if (!(error instanceof OutputFailure)) throw error;
    if (!error.permanent) return error;
    const [first] = batch;
    if (batch.length === 1 && first) {
      await queue.setAside(first);
      refused(first, error.message);
      return undefined;
    }
    // Which of them it is the receiver does not say; the others are innocent.
    return deliverEach(options, batch, signal);
  }
}

async function deliverEach(
  options: DeliveryOptions,
  batch: readonly Entry[],
  signal: AbortSignal,
): Promise<OutputFailure | undefined> {
  for (const entry of batch) {
    const failure = await deliver(options, [entry], signal);
    if (failure || signal.aborted) return failure;
  }
  return undefined;
}

function partsOf(entries: readonly Entry[], sizeMax: number): Entry[][] {
  const parts: Entry[][] = [];
  for (let at = 0; at < entries.length; at += sizeMax) parts.push(entries.slice(at, at + sizeMax));
  return parts;
}
