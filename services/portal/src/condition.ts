// Whether a sensor is active, unhealthy, silent or disabled, from its last heartbeat and the time.
import { HealthSeverity, type HeartbeatRequest, SensorCondition } from "@nightjar/proto";
import { SILENT_AFTER_HEARTBEATS, SILENT_GRACE_MS } from "./limits.ts";

const MS_PER_S = 1_000;

/** `lastSeenMs` is when the portal received `heartbeat`; sensors' clocks are not trusted. */
export function conditionOf(heartbeat: HeartbeatRequest, lastSeenMs: number, nowMs: number): SensorCondition {
  if (heartbeat.isStopping) return SensorCondition.DISABLED;
  if (nowMs - lastSeenMs > patienceMs(heartbeat)) return SensorCondition.SILENT;
  const ill = heartbeat.stages.some(
    (stage) => !stage.ready || stage.healthIssues.some((issue) => issue.severity === HealthSeverity.ERROR),
  );
  return ill ? SensorCondition.UNHEALTHY : SensorCondition.ACTIVE;
}

/** How long after a heartbeat a sensor is called silent. */
export function patienceMs({ intervalSeconds }: Pick<HeartbeatRequest, "intervalSeconds">): number {
  return SILENT_AFTER_HEARTBEATS * intervalSeconds * MS_PER_S + SILENT_GRACE_MS;
}
