// All that can be asked of a running sensor, put together: its stages, its queues, its supervisor, its portal.
import type { NatsConnection } from "@nats-io/transport-node";
import type { StageStatus } from "@nightjar/proto";
import { askStatuses, isAlive, stageNames } from "@nightjar/stage";
import { readRecord, type SupervisorRecord } from "../supervisor/record.ts";
import { connectPortal, portalAddress } from "./portal.ts";
import { type Queue, readQueues } from "./streams.ts";

const PORTAL_TIMEOUT_MS = 2_000;

export interface SensorState {
  statuses: StageStatus[];
  queues: Queue[];
  /** Undefined when no `nightjar run` supervises, as under systemd. */
  supervisor: SupervisorRecord | undefined;
  /** The embedded portal's address; undefined when there is none. */
  portal: string | undefined;
  portalAnswers: boolean;
  /** The names of those that belong to the sensor and are not ready. */
  missing: string[];
}

export async function readSensorState(connection: NatsConnection, stateDir: string): Promise<SensorState> {
  const [statuses, queues, portalAnswers] = await Promise.all([
    askStatuses(connection),
    readQueues(connection),
    answers(stateDir),
  ]);
  const record = readRecord(stateDir);
  const supervisor = record && isAlive(record) ? record : undefined;
  const portal = portalAddress(stateDir);
  const expected = supervisor ? Object.keys(supervisor.stages) : [...stageNames, ...(portal ? ["portal"] : [])];
  const ready = new Set(statuses.filter((one) => one.ready).map(({ stage }) => stage));
  if (portalAnswers) ready.add("portal");
  return { statuses, queues, supervisor, portal, portalAnswers, missing: expected.filter((name) => !ready.has(name)) };
}

async function answers(stateDir: string): Promise<boolean> {
  try {
    await connectPortal(stateDir).listSensors({}, { timeoutMs: PORTAL_TIMEOUT_MS });
    return true;
  } catch {
    return false;
  }
}
