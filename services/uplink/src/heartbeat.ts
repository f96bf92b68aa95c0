// Tells the portal at an interval that the sensor lives and how it is.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  type Sensor,
  type StageStatus,
  StageStatusSchema,
} from "@nightjar/proto";
import type { Backoff } from "@nightjar/stage";
import { failureOf, type PortalFailure } from "./failure.ts";

export interface HeartbeatOptions {
  intervalS: number;
  /** All stages there should be; one that does not answer is reported as such. */
  stageNames: readonly string[];
  sensor: () => Sensor;
  askStatuses: () => Promise<StageStatus[]>;
  /** Rejects with a PortalFailure. */
  send: (request: HeartbeatRequest) => Promise<void>;
  /** Between failed ones; never longer than the interval. */
  backoff: Backoff;
  wait: (ms: number) => Promise<void>;
  sent: () => void;
  failed: (failure: PortalFailure) => void;
  clock: () => number;
}

const MS_PER_S = 1_000;

/** Runs until `signal` is aborted; the first goes out at once. */
export async function runHeartbeat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const intervalMs = options.intervalS * MS_PER_S;
  while (!signal.aborted) {
    const request = heartbeatOf(options, await options.askStatuses().catch(() => []));
    let waitMs = intervalMs;
    try {
      await options.send(request);
      options.backoff.reset();
      options.sent();
    } catch (error) {
      if (signal.aborted) return;
      options.failed(failureOf(error));
      waitMs = Math.min(intervalMs, options.backoff.next());
    }
    await options.wait(waitMs);
  }
}

/** The message: what the stages said, and an entry for each that said nothing. */
export function heartbeatOf(options: HeartbeatOptions, statuses: readonly StageStatus[]): HeartbeatRequest {
  const answered = new Set(statuses.map((status) => status.stage));
  const silent = options.stageNames
    .filter((stage) => !answered.has(stage))
    .map((stage) => create(StageStatusSchema, { stage, ready: false, summary: "does not answer" }));
  return create(HeartbeatRequestSchema, {
    sensor: options.sensor(),
    stages: [...statuses, ...silent],
    sentAt: timestampFromMs(options.clock()),
    intervalSeconds: options.intervalS,
  });
}
