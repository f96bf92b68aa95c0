// Every detection the portal stores, from a place on, through restarts of the portal.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { StoredDetection } from "@nightjar/proto";
import { pause } from "@nightjar/stage";
import { CommandError } from "../command.ts";
import { connectPortal, isAway } from "./portal.ts";

const RETRY_MS = 250;

export interface FollowOptions {
  stateDir: string;
  signal: AbortSignal;
  /** Only what happened since then. */
  since?: Date;
  /** Only what is stored after this cursor. */
  after?: bigint;
}

/** Ends when `signal` is aborted. The address is read anew each time: a portal may come back at another port. */
export async function* followDetections(options: FollowOptions): AsyncGenerator<StoredDetection> {
  const { stateDir, signal, since } = options;
  let after = options.after ?? 0n;
  while (!signal.aborted) {
    try {
      const request = { after, ...(since && { since: timestampFromDate(since) }) };
      for await (const { detection } of connectPortal(stateDir).streamDetections(request, { signal })) {
        if (!detection) continue;
        after = detection.cursor;
        yield detection;
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
