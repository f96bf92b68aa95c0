// The heartbeat of the stage: what it is made of, who sends it, and the last one of a sensor that is stopped.
import { create, toBinary } from "@bufbuild/protobuf";
import { type HeartbeatRequest, HeartbeatRequestSchema, SensorService, type StageStatus } from "@nightjar/proto";
import { redactMessage } from "@nightjar/redact";
import { Backoff, type Stage, stageNames } from "@nightjar/stage";
import { describeConfiguration } from "./configuration.ts";
import type { Parts } from "./detections.ts";
import { EgressBudget } from "./egress.ts";
import type { HostHealth } from "./health/start.ts";
import { type HeartbeatOptions, heartbeatOf, leanHeartbeat, runHeartbeat } from "./heartbeat.ts";
import { GOODBYE_MS_MAX } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import { backoffOptions, crash } from "./retries.ts";
import { describeSensor } from "./sensor.ts";

interface Others {
  health: HostHealth;
  outbox: Outbox;
  /** Told the portal's change counter of indicators with each answer. */
  heardIntel: (generation: bigint) => void;
}

export function startHeartbeat(stage: Stage, parts: Parts, { health, outbox, heardIntel }: Others) {
  const { settings, signal, counters } = stage;
  const { id, client, link } = parts;
  const withinBudget = heartbeatBudget(stage);
  const options: HeartbeatOptions = {
    intervalS: settings.uplink.heartbeat_interval_s,
    stageNames,
    sensor: () => describeSensor(id),
    askStatuses: health.look,
    configuration: (statuses) => describeConfiguration(settings, process.env, statuses),
    account: health.account,
    waiting: () => outbox.count,
    send: async (request) => {
      const answer = await client.heartbeat(
        withinBudget(redactMessage(stage.redactor, HeartbeatRequestSchema, request)),
      );
      heardIntel(answer.intelGeneration);
    },
    backoff: new Backoff({ ...backoffOptions(settings.uplink), fastWindowMs: Number.POSITIVE_INFINITY }),
    wait: (ms) => link.wait(ms, signal),
    sent: () => {
      counters.add("heartbeats_sent");
      // The portal has been told.
      stage.health.resolve("DETECTIONS_STALE");
      health.saveAccount();
      link.up();
    },
    failed: (failure) => {
      health.saveAccount();
      link.down(failure);
    },
    clock: Date.now,
  };
  const beating = runHeartbeat(options, signal);
  beating.catch(crash);
  stage.onStop(async () => {
    await sayGoodbye(stage, parts, options, await beating);
    health.saveAccount();
  });
}

/** Gives heartbeats as they are while the hour's bytes last, and lean ones then. */
function heartbeatBudget({ settings, counters }: Stage): (request: HeartbeatRequest) => HeartbeatRequest {
  const bytesPerHour = settings.uplink.egress_telemetry_bytes_per_h;
  const budget = new EgressBudget({ bytesPerHour, clock: () => performance.now() });
  return (full) => {
    const bytes = toBinary(HeartbeatRequestSchema, full).length;
    const isWithin = budget.take(bytes);
    const request = isWithin ? full : leanHeartbeat(full);
    const sent = isWithin ? bytes : toBinary(HeartbeatRequestSchema, request).length;
    counters.add("telemetry_bytes", sent);
    if (!isWithin) counters.add("telemetry_bytes_held", bytes - sent);
    return request;
  };
}

/** So that the portal knows that the silence to come is somebody's wish. Tried once: nothing waits for it. */
async function sayGoodbye(stage: Stage, { client }: Parts, options: HeartbeatOptions, statuses: StageStatus[]) {
  const told = options.account.tell(options.waiting());
  const last = { ...heartbeatOf(options, statuses), isStopping: true, outageReport: told.message };
  const request = redactMessage(stage.redactor, HeartbeatRequestSchema, create(HeartbeatRequestSchema, last));
  try {
    // Not by the signal of all other calls, which has ended them.
    await client.call(SensorService, (sensors) => sensors.heartbeat(request, { timeoutMs: GOODBYE_MS_MAX }));
    options.account.heard(told, options.clock());
  } catch (error) {
    stage.log.info("the portal could not be told that the sensor stops", { error: error as Error });
  }
}
