// Tells the portal at an interval that the sensor lives and how it is, and once more when it is stopped.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Configuration,
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  type Sensor,
  type StageStatus,
  StageStatusSchema,
} from "@nightjar/proto";
import type { Backoff } from "@nightjar/stage";
import { failureOf, type PortalFailure } from "./failure.ts";
import type { OutageAccount } from "./health/account.ts";
import { visibilityOf } from "./visibility.ts";

export interface HeartbeatOptions {
  intervalS: number;
  /** All stages there should be; one that does not answer is reported as such. */
  stageNames: readonly string[];
  sensor: () => Sensor;
  /** Never rejects. */
  askStatuses: () => Promise<StageStatus[]>;
  configuration: (statuses: readonly StageStatus[]) => Configuration;
  account: OutageAccount;
  /** Detections in the outbox. */
  waiting: () => number;
  /** Rejects with a PortalFailure. */
  send: (request: HeartbeatRequest) => Promise<void>;
  /** Between failed ones; never longer than the interval. */
  backoff: Backoff;
  wait: (ms: number) => Promise<void>;
  sent: () => void;
  failed: (failure: PortalFailure) => void;
  /** Milliseconds since 1970. */
  clock: () => number;
}

const MS_PER_S = 1_000;

/** Runs until `signal` is aborted; the first goes out at once. Resolves with what the stages said last. */
export async function runHeartbeat(options: HeartbeatOptions, signal: AbortSignal): Promise<StageStatus[]> {
  const { account, backoff, clock } = options;
  const intervalMs = options.intervalS * MS_PER_S;
  let statuses: StageStatus[] = [];
  while (!signal.aborted) {
    statuses = await options.askStatuses();
    const told = account.tell(options.waiting());
    let waitMs = intervalMs;
    try {
      await options.send(
        create(HeartbeatRequestSchema, { ...heartbeatOf(options, statuses), outageReport: told.message }),
      );
      account.heard(told, clock());
      backoff.reset();
      options.sent();
    } catch (error) {
      if (signal.aborted) break;
      const failure = failureOf(error);
      if (failure.kind !== "held") account.failed(failure.message);
      options.failed(failure);
      waitMs = Math.min(intervalMs, backoff.next());
    }
    await options.wait(waitMs);
  }
  return statuses;
}

/** The message: what the stages said, and an entry for each that said nothing. */
export function heartbeatOf(options: HeartbeatOptions, statuses: readonly StageStatus[]): HeartbeatRequest {
  const answered = new Set(statuses.map((status) => status.stage));
  const silent = options.stageNames
    .filter((stage) => !answered.has(stage))
    .map((stage) => create(StageStatusSchema, { stage, ready: false, summary: "does not answer" }));
  return create(HeartbeatRequestSchema, {
    sensor: options.sensor(),
    // What is over is told with the history of health issues.
    stages: [...statuses.map((status) => ({ ...status, pastHealthIssues: [] })), ...silent],
    sentAt: timestampFromMs(options.clock()),
    intervalSeconds: options.intervalS,
    configuration: options.configuration(statuses),
    visibility: visibilityOf(statuses),
  });
}

/** What has to be said even where the hour's bytes are spent: without counters, facts and configuration. */
export function leanHeartbeat(request: HeartbeatRequest): HeartbeatRequest {
  const { configuration, $typeName, $unknown, ...rest } = request;
  const stages = request.stages.map(({ stage, version, pid, instance, ready, summary, healthIssues }) =>
    create(StageStatusSchema, { stage, version, pid, instance, ready, summary, healthIssues }),
  );
  return create(HeartbeatRequestSchema, { ...rest, stages });
}
