// The stage uplink: DETECTIONS and INVENTORY to disk and on to the portal, look-ups of INDICATORS, and a heartbeat.
import { type Bundle, INDICATOR_FILTER_PART, partPath } from "@nightjar/content";
import { readSmallFile, resolveSettings, runStage, type Stage, statePaths } from "@nightjar/stage";
import { Breaker } from "./breaker.ts";
import { checkConnectivity } from "./check.ts";
import { startContent } from "./content/start.ts";
import { startDetections } from "./detections.ts";
import { locatePortal } from "./endpoint.ts";
import { startHealth } from "./health/start.ts";
import { type HostIndicators, startIndicators } from "./indicators/start.ts";
import { startInventory } from "./inventory/start.ts";
import { ADDRESS_CHECK_MS, BUS_IN_FLIGHT_MAX, INDICATORS_IN_FLIGHT_MAX } from "./limits.ts";
import { Link } from "./link.ts";
import { startNetworkWatch } from "./network-watch.ts";
import type { Outbox } from "./outbox.ts";
import { type Outputs, openOutputs, serveOutputTests } from "./outputs/wanted.ts";
import { PortalClient } from "./portal-client.ts";
import { sensorId } from "./sensor.ts";
import { startHeartbeat } from "./start-heartbeat.ts";
import { readClientCredentials } from "./transport/client-credentials.ts";

const MS_PER_S = 1_000;

/** Tells how far the way to the portal goes, in place of running: what `nightjar doctor connectivity` asks. */
const CHECK = "--check";

if (process.argv[2] === CHECK) await tellConnectivity();
else await runStage("uplink", main);

async function tellConnectivity(): Promise<void> {
  const { values: settings } = resolveSettings({ env: process.env });
  const stateDir = settings.common.state_dir;
  const steps = await checkConnectivity({ stateDir, settings, environment: process.env });
  process.stdout.write(`${JSON.stringify(steps)}\n`);
}

async function main(stage: Stage): Promise<void> {
  const { settings, signal, health, log } = stage;
  const id = sensorId(stage.folder);
  stage.facts.set("sensor_id", id);
  const breaker = new Breaker({
    failuresMax: settings.uplink.breaker_failures,
    openMs: settings.uplink.breaker_open_s * MS_PER_S,
    clock: () => performance.now(),
    random: Math.random,
  });
  const link = new Link({
    log,
    raise: (message) => health.raise("PORTAL_UNREACHABLE", message),
    resolve: () => health.resolve("PORTAL_UNREACHABLE"),
    failed: () => stage.counters.add("calls_failed"),
    heldMs: () => breaker.heldMs,
    clock: () => performance.now(),
  });
  const client = new PortalClient({
    locate: () => locatePortal({ stateDir: stage.stateDir, settings, environment: process.env }),
    credentials: () => readClientCredentials(settings.api, process.env.CREDENTIALS_DIRECTORY),
    renewalFailed: ({ message, resp }) => log.warn("the access token could not be renewed", { why: message, resp }),
    timeoutMs: settings.uplink.call_timeout_ms,
    breaker,
    signal,
  });
  if (settings.uplink.portal_url === "") watchEmbeddedPortal(stage, client, link);
  else breaker.delayStart(settings.uplink.start_delay_ms_max);
  startNetworkWatch(stage, { link, breaker });
  const parts = { id, client, link };
  const outputs = await openOutputs(stage, id);
  const detections = await startDetections(stage, parts, outputs);
  await stage.bus.connect();
  serveOutputTests(stage, outputs);
  const indicators = await startIndicators(stage, parts);
  const inventory = startInventory(stage, parts);
  const { outbox } = detections;
  stage.beforeStatus = () => {
    report(stage, outbox, outputs, indicators);
    inventory.report();
  };
  startHeartbeat(stage, parts, { health: startHealth(stage, parts), outbox, heardIntel: indicators.heard });
  startContent(stage, { ...parts, enforced: (bundle) => indicators.useFilter(filterIn(bundle)) });
  stage.bus.consume("DETECTIONS", detections.keep, { inFlightMax: BUS_IN_FLIGHT_MAX });
  stage.bus.consume("INVENTORY", inventory.take, { inFlightMax: 1 });
  stage.bus.consume("INDICATORS", indicators.take, { inFlightMax: INDICATORS_IN_FLIGHT_MAX });
  // Its code is only in memory where it is wanted.
  if (settings.metrics.port > 0) {
    const { serveMetrics } = await import("./metrics/server.ts");
    await serveMetrics(stage, () => stage.bus.askStatuses());
  }
  stage.ready();
}

/** Where the bundle's filter of indicators lies; "" where it has none. */
function filterIn({ folder, manifest }: Bundle): string {
  const hasFilter = manifest.parts.some(({ name }) => name === INDICATOR_FILTER_PART);
  return hasFilter ? partPath(folder, INDICATOR_FILTER_PART) : "";
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

function report(stage: Stage, outbox: Outbox, outputs: Outputs, indicators: HostIndicators): void {
  stage.outputs = outputs.statuses();
  indicators.report();
  stage.counters.set("outbox_detections", outbox.count);
  stage.counters.set("outbox_bytes", outbox.bytes);
  stage.summary =
    outbox.count === 0
      ? `${stage.counters.get("detections_sent")} detections sent`
      : `${outbox.count} detections wait for the portal`;
}
