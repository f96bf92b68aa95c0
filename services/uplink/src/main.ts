// The stage uplink: DETECTIONS to the outbox, the outbox to the portal, and a heartbeat.
import { hostname } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type DetectionBatch, DetectionBatchSchema, HeartbeatRequestSchema } from "@nightjar/proto";
import { redactMessage } from "@nightjar/redact";
import {
  Backoff,
  describeError,
  GarbageError,
  pause,
  readSmallFile,
  runStage,
  type Stage,
  stageNames,
  statePaths,
} from "@nightjar/stage";
import { locatePortal } from "./endpoint.ts";
import type { PortalFailure } from "./failure.ts";
import { runHeartbeat } from "./heartbeat.ts";
import { ADDRESS_CHECK_MS, BUS_IN_FLIGHT_MAX, DISK_RETRY_MS, OUTBOX_RELIEVED, STALE_SWEEP_MS } from "./limits.ts";
import { Link } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { PortalClient } from "./portal-client.ts";
import { runSender } from "./sender.ts";
import { describeSensor, sensorId } from "./sensor.ts";

const MS_PER_S = 1_000;
const MS_PER_H = 60 * 60 * MS_PER_S;

await runStage("uplink", main);

async function main(stage: Stage): Promise<void> {
  const { settings, signal, health, log } = stage;
  const id = sensorId(stage.folder);
  stage.facts.set("sensor_id", id);
  const outbox = await openOutbox(stage);
  const link = new Link({
    log,
    raise: (message) => health.raise("PORTAL_UNREACHABLE", message),
    resolve: () => health.resolve("PORTAL_UNREACHABLE"),
    clock: () => performance.now(),
  });
  const client = new PortalClient({
    locate: () => locatePortal(stage.stateDir, settings.uplink),
    timeoutMs: settings.uplink.call_timeout_ms,
    signal,
  });
  if (settings.uplink.portal_url === "") watchEmbeddedPortal(stage, client, link);
  stage.beforeStatus = () => report(stage, outbox);
  startSender(stage, { id, outbox, client, link });
  sweepStale(stage, outbox);
  await stage.bus.connect();
  startHeartbeat(stage, { id, client, link });
  stage.bus.consume("DETECTIONS", (bytes) => keep(stage, outbox, bytes), { inFlightMax: BUS_IN_FLIGHT_MAX });
  stage.ready();
}

function openOutbox(stage: Stage): Promise<Outbox> {
  return Outbox.open(join(stage.folder, "outbox"), {
    bytesMax: stage.settings.uplink.outbox_bytes,
    clock: Date.now,
    evicted: (count) => {
      stage.counters.add("detections_evicted", count);
      stage.health.raise("OUTBOX_FULL", "the outbox is full; detections of the lowest severity are deleted");
    },
    broken: (movedTo, error) => {
      stage.counters.add("outboxes_broken");
      stage.health.raise("OUTBOX_BROKEN", `the outbox could not be read and was moved to ${movedTo}`);
      stage.log.error("the outbox cannot be read; what was in it is not sent", { movedTo, error });
    },
  });
}

/**
 * Resolves when the batch is on the disk, without secrets; until the disk takes it, the bus keeps it too. Here, behind
 * rules and stories, which had to see what is secret, and before all that is a copy or leaves the host.
 */
async function keep(stage: Stage, outbox: Outbox, bytes: Uint8Array): Promise<void> {
  let batch: DetectionBatch;
  try {
    batch = fromBinary(DetectionBatchSchema, bytes);
  } catch (error) {
    throw new GarbageError(`no DetectionBatch: ${describeError(error)}`);
  }
  redactMessage(stage.redactor, DetectionBatchSchema, batch);
  for (;;) {
    try {
      await outbox.add(batch.detections);
      break;
    } catch (error) {
      stage.health.raise("DISK_FULL", `the outbox cannot be written: ${describeError(error)}`);
      await pause(DISK_RETRY_MS);
    }
  }
  stage.health.resolve("DISK_FULL");
  stage.counters.add("detections_in", batch.detections.length);
}

interface Parts {
  id: string;
  client: PortalClient;
  link: Link;
}

function startSender(stage: Stage, { id, client, link, outbox }: Parts & { outbox: Outbox }): void {
  const { settings, signal, counters, health, log } = stage;
  const sending = runSender(
    {
      outbox,
      send: (detections) => client.sendDetections({ sensorId: id, hostName: hostname(), detections }),
      backoff: new Backoff(backoffOptions(settings.uplink)),
      wait: (ms) => link.wait(ms, signal),
      sent: (count) => {
        counters.add("detections_sent", count);
        if (outbox.bytes < settings.uplink.outbox_bytes * OUTBOX_RELIEVED) health.resolve("OUTBOX_FULL");
        link.up();
      },
      failed: (failure) => failed(stage, link, failure),
      refused: ({ detection }, why) => {
        counters.add("detections_refused");
        health.raise("DETECTION_REFUSED", `the portal refused a detection of "${detection.rule}": ${why}`);
        log.error("the portal refused a detection; it is kept in the outbox's part for refused ones", {
          resp: why,
          detection: detection.id,
          rule: detection.rule,
        });
      },
    },
    signal,
  );
  sending.catch((error) => crash(error));
  stage.onStop(() => sending);
}

function startHeartbeat(stage: Stage, { id, client, link }: Parts): void {
  const { settings, signal, counters, health } = stage;
  const intervalS = settings.uplink.heartbeat_interval_s;
  const beating = runHeartbeat(
    {
      intervalS,
      stageNames,
      sensor: () => describeSensor(id),
      askStatuses: () => stage.bus.askStatuses(),
      send: (request) => client.heartbeat(redactMessage(stage.redactor, HeartbeatRequestSchema, request)),
      backoff: new Backoff({ ...backoffOptions(settings.uplink), fastWindowMs: Number.POSITIVE_INFINITY }),
      wait: (ms) => link.wait(ms, signal),
      sent: () => {
        counters.add("heartbeats_sent");
        // The portal has been told.
        health.resolve("DETECTIONS_STALE");
        link.up();
      },
      failed: (failure) => failed(stage, link, failure),
      clock: Date.now,
    },
    signal,
  );
  beating.catch((error) => crash(error));
  stage.onStop(() => beating);
}

function failed(stage: Stage, link: Link, failure: PortalFailure): void {
  stage.counters.add("calls_failed");
  link.down(failure);
}

/** A bug: thrown where nothing catches it, so that the process ends and is started again. */
function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

function backoffOptions(uplink: Stage["settings"]["uplink"]) {
  return {
    baseMs: uplink.retry_base_ms,
    maxMs: uplink.retry_max_ms,
    jitter: uplink.retry_jitter,
    fastWindowMs: uplink.fast_window_s * MS_PER_S,
    slowIntervalMs: uplink.slow_interval_s * MS_PER_S,
  };
}

/** The embedded portal writes its address when it is ready; that is worth a try at once. */
function watchEmbeddedPortal(stage: Stage, client: PortalClient, link: Link): void {
  let known = readSmallFile(statePaths.portalAddress(stage.stateDir));
  const timer = setInterval(() => {
    const address = readSmallFile(statePaths.portalAddress(stage.stateDir));
    if (address === known) return;
    known = address;
    if (!address) return;
    client.disconnect();
    link.nudge();
  }, ADDRESS_CHECK_MS);
  stage.onStop(() => clearInterval(timer));
}

function sweepStale(stage: Stage, outbox: Outbox): void {
  const { counters, health, log, settings } = stage;
  const hours = settings.uplink.stale_after_h;
  const sweep = async () => {
    const stale = await outbox.deleteStoredBefore(Date.now() - hours * MS_PER_H);
    if (stale === 0) return;
    counters.add("detections_stale", stale);
    health.raise("DETECTIONS_STALE", `${stale} detections waited ${hours} hours for the portal and were deleted`);
  };
  const run = () => void sweep().catch((error) => log.error("the outbox cannot be looked through", { error }));
  const timer = setInterval(run, STALE_SWEEP_MS);
  run();
  stage.onStop(() => clearInterval(timer));
}

function report(stage: Stage, outbox: Outbox): void {
  stage.counters.set("outbox_detections", outbox.count);
  stage.counters.set("outbox_bytes", outbox.bytes);
  stage.summary =
    outbox.count === 0
      ? `${stage.counters.get("detections_sent")} detections sent`
      : `${outbox.count} detections wait for the portal`;
}
