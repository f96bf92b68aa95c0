// Everything the portal stores, from a place on, through restarts of the portal.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { HealthService, type StoredDetection, type StoredHealthIssue } from "@nightjar/proto";
import { pause } from "@nightjar/stage";
import { CommandError, type Context } from "../command.ts";
import { connectPortal, connectServiceOf, isAway } from "./portal.ts";

const RETRY_MS = 250;

export interface FollowOptions {
  stateDir: string;
  signal: AbortSignal;
  /** Only what happened since then. */
  since?: Date;
  /** Only what is stored after this cursor. */
  after?: bigint;
}

/** Ends when `signal` is aborted. */
export function followDetections(options: FollowOptions): AsyncGenerator<StoredDetection> {
  const { stateDir, signal, since } = options;
  return follow(signal, options.after ?? 0n, async function* (after) {
    const request = { after, ...(since && { since: timestampFromDate(since) }) };
    for await (const { detection } of connectPortal(stateDir).streamDetections(request, { signal })) {
      if (detection) yield detection;
    }
  });
}

/** What is open, and what was at or after `since`; then each change. Ends when the context's signal is aborted. */
export function followHealth(context: Context, since: Date, sensorId: string): AsyncGenerator<StoredHealthIssue> {
  const { signal } = context;
  return follow(signal, 0n, async function* (after) {
    const request = { after, sensorId, since: timestampFromDate(since) };
    for await (const { issue } of connectServiceOf(context, HealthService).streamHealthIssues(request, { signal })) {
      if (issue) yield issue;
    }
  });
}

/** Opens a stream anew where it broke, behind the last cursor. The address is read anew: a portal may have moved. */
async function* follow<T extends { cursor: bigint }>(
  signal: AbortSignal,
  from: bigint,
  open: (after: bigint) => AsyncIterable<T>,
): AsyncGenerator<T> {
  let after = from;
  while (!signal.aborted) {
    try {
      for await (const one of open(after)) {
        after = one.cursor;
        yield one;
      }
    } catch (error) {
      if (signal.aborted) return;
      const waits = error instanceof CommandError || isAway(error) || isInternal(error);
      if (!waits) throw error;
    }
    await pause(RETRY_MS, signal);
  }
}

/** A connection that broke in the middle of a stream ends as this. */
function isInternal(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Internal;
}
