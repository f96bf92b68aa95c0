// Whether a sensor is active, unhealthy or silent, from its last heartbeat and the time.
import { HealthSeverity, type HeartbeatRequest, SensorCondition } from "@nightjar/proto";
import { SILENT_AFTER_HEARTBEATS, SILENT_GRACE_MS } from "./limits.ts";

const MS_PER_S = 1_000;

/** `lastSeenMs` is when the portal received `heartbeat`; sensors' clocks are not trusted. */
export function conditionOf(heartbeat: HeartbeatRequest, lastSeenMs: number, nowMs: number): SensorCondition {
  const patience = SILENT_AFTER_HEARTBEATS * heartbeat.intervalSeconds * MS_PER_S + SILENT_GRACE_MS;
  if (nowMs - lastSeenMs > patience) return SensorCondition.SILENT;
  const ill = heartbeat.stages.some(
    (stage) => !stage.ready || stage.healthIssues.some((issue) => issue.severity === HealthSeverity.ERROR),
  );
  return ill ? SensorCondition.UNHEALTHY : SensorCondition.ACTIVE;
}
