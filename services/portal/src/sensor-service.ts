// What sensors call: heartbeats and detections.
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  DetectionSchema,
  HeartbeatResponseSchema,
  SendDetectionsResponseSchema,
  type SensorService,
} from "@nightjar/proto";
import type { Clock } from "./clock.ts";
import { PortalError } from "./errors.ts";
import { type OutageStore, SensorsFullError } from "./health/outage-store.ts";
import { type Intake, IntakeFullError } from "./intake.ts";
import type { IntelStore } from "./intel-store.ts";
import { checkHeartbeat, checkSendDetections, type Problem } from "./validate.ts";

/** Told of what the store could not do; it decides whether the process can go on. */
export type StoreFailure = (error: unknown) => void;

export function refuse(problem: Problem): void {
  if (problem) throw new ConnectError(problem, Code.InvalidArgument);
}

export interface SensorServiceOptions {
  outages: OutageStore;
  intel: IntelStore;
  intake: Intake;
  clock: Clock;
  failed: StoreFailure;
}

export function sensorService(options: SensorServiceOptions): ServiceImpl<typeof SensorService> {
  const { outages, intel, intake, clock, failed } = options;
  return {
    async heartbeat(request) {
      refuse(checkHeartbeat(request));
      const now = clock();
      const saved = outages.saveHeartbeat(request, now);
      const [intelGeneration] = await Promise.all([intel.recentGeneration(), saved]).catch((error: unknown) => {
        throw asConnectError(error, failed);
      });
      return create(HeartbeatResponseSchema, { receivedAt: timestampFromMs(now), intelGeneration });
    },
    async sendDetections(request) {
      refuse(checkSendDetections(request));
      const { sensorId, hostName } = request;
      const arrivals = request.detections.map((detection) => {
        return { sensorId, hostName, detection, encoded: toBinary(DetectionSchema, detection) };
      });
      const stored = await intake.save(arrivals).catch((error: unknown) => {
        throw asConnectError(error, failed);
      });
      return create(SendDetectionsResponseSchema, { stored });
    },
  };
}

/** What the store threw, as the caller may know it; `failed` is told all of it. */
export function asConnectError(error: unknown, failed: StoreFailure): ConnectError {
  if (error instanceof SensorsFullError) return new ConnectError(error.message, Code.ResourceExhausted);
  if (error instanceof IntakeFullError) return new ConnectError(error.message, Code.Unavailable);
  failed(error);
  if (error instanceof PortalError) return new ConnectError(error.message, Code.Unavailable);
  return new ConnectError("the portal's store failed; try again later", Code.Unavailable);
}
