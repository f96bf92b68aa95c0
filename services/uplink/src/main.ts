// The stage uplink: DETECTIONS to the outbox, the outbox to the portal, and a heartbeat.
import { HeartbeatRequestSchema } from "@nightjar/proto";
import { redactMessage } from "@nightjar/redact";
import { Backoff, readSmallFile, runStage, type Stage, stageNames, statePaths } from "@nightjar/stage";
import { type Parts, startDetections } from "./detections.ts";
import { locatePortal } from "./endpoint.ts";
import { runHeartbeat } from "./heartbeat.ts";
import { ADDRESS_CHECK_MS, BUS_IN_FLIGHT_MAX } from "./limits.ts";
import { Link } from "./link.ts";
import type { Outbox } from "./outbox.ts";
import { PortalClient } from "./portal-client.ts";
import { backoffOptions, crash } from "./retries.ts";
import { describeSensor, sensorId } from "./sensor.ts";

await runStage("uplink", main);

async function main(stage: Stage): Promise<void> {
  const { settings, signal, health, log } = stage;
  const id = sensorId(stage.folder);
  stage.facts.set("sensor_id", id);
  const link = new Link({
    log,
    raise: (message) => health.raise("PORTAL_UNREACHABLE", message),
    resolve: () => health.resolve("PORTAL_UNREACHABLE"),
    failed: () => stage.counters.add("calls_failed"),
    clock: () => performance.now(),
  });
  const client = new PortalClient({
    locate: () => locatePortal(stage.stateDir, settings.uplink),
    timeoutMs: settings.uplink.call_timeout_ms,
    signal,
  });
  if (settings.uplink.portal_url === "") watchEmbeddedPortal(stage, client, link);
  const detections = await startDetections(stage, { id, client, link });
  stage.beforeStatus = () => report(stage, detections.outbox);
  await stage.bus.connect();
  startHeartbeat(stage, { id, client, link });
  stage.bus.consume("DETECTIONS", detections.keep, { inFlightMax: BUS_IN_FLIGHT_MAX });
  stage.ready();
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
      failed: (failure) => link.down(failure),
      clock: Date.now,
    },
    signal,
  );
  beating.catch((error) => crash(error));
  stage.onStop(() => beating);
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

function report(stage: Stage, outbox: Outbox): void {
  stage.counters.set("outbox_detections", outbox.count);
  stage.counters.set("outbox_bytes", outbox.bytes);
  stage.summary =
    outbox.count === 0
      ? `${stage.counters.get("detections_sent")} detections sent`
      : `${outbox.count} detections wait for the portal`;
}
