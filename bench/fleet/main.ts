// Measures a fleet's portal: simulated sensors with a connection each against one or two portals on PostgreSQL.
//
//   nightjar bench fleet [--sensors N] [--seconds N] [--heartbeat-s N] [--detections-per-s N] [--kill] [--json]
//
// With --kill there are two portals on the same database, of which one is killed at half time; then all detections
// must be there, each once. Ends with 1 where they are not.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import {
  startPostgres,
  startProcess,
  type TestPostgres,
  type TestProcess,
  temporaryFolder,
  waitFor,
  whyNoPostgres,
} from "@nightjar/test-support";
import { CleanUps } from "../common/clean-ups.ts";
import { thisMachine } from "../common/machine.ts";
import { cpuSeconds, memoryOf, processTree } from "../common/processes.ts";
import { percentile } from "../common/statistics.ts";
import { machineText, number, table } from "../common/text.ts";
import type { Order, Outcome } from "./load.ts";
import type { PortalAccess } from "./sensor.ts";

const USAGE =
  "usage: nightjar bench fleet [--sensors N] [--seconds N] [--heartbeat-s N] [--detections-per-s N] [--kill] [--json]";
const PORTAL = join(import.meta.dirname, "../../services/portal/dist/main.js");
const LOAD = join(import.meta.dirname, "load.ts");
/** One is bound to one core, and would be what is measured. */
const LOAD_PROCESSES = 2;
const READY_TIMEOUT_MS = 60_000;
const PAGE_SIZE = 1_000;
const MS_PER_S = 1_000;
/** What is meant: p99 of a heartbeat at 10,000 sensors. */
const HEARTBEAT_P99_MS = 250;

interface Choices {
  sensors: number;
  seconds: number;
  heartbeatS: number;
  detectionsPerS: number;
  kill: boolean;
  json: boolean;
}

function readArguments(args: readonly string[]): Choices | string {
  const numeric = { sensors: "10000", seconds: "120", "heartbeat-s": "30", "detections-per-s": "200" };
  const options = {
    ...Object.fromEntries(Object.entries(numeric).map(([name, value]) => [name, { type: "string", default: value }])),
    kill: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const values = parseArgs({ args: [...args], options }).values as Record<string, string | boolean>;
    if (values.help) return "";
    const wrong = Object.keys(numeric).find((name) => !/^[1-9]\d{0,6}$/.test(String(values[name])));
    if (wrong) return `--${wrong} is a whole number from 1`;
    const [sensors, seconds, heartbeatS, detectionsPerS] = Object.keys(numeric).map((name) => Number(values[name]));
    return { sensors, seconds, heartbeatS, detectionsPerS, kill: values.kill, json: values.json } as Choices;
  } catch (error) {
    return (error as Error).message;
  }
}

interface RunningPortal {
  process: TestProcess;
  access: PortalAccess;
}

async function startPortal(cleanUps: CleanUps, database: TestPostgres): Promise<RunningPortal> {
  const stateDir = temporaryFolder(cleanUps);
  const env = { NIGHTJAR_STATE_DIR: stateDir, NIGHTJAR_PORTAL_DATABASE_URL: database.url };
  const portal = startProcess(cleanUps, process.execPath, [PORTAL], { env });
  await waitFor(() => portal.stderr.includes("portal is ready"), {
    what: "the portal is ready",
    timeoutMs: READY_TIMEOUT_MS,
    explain: () => portal.stderr,
  });
  const read = (file: string) => readFileSync(file, "utf8").trim();
  const access = {
    address: read(statePaths.portalAddress(stateDir)),
    certificate: read(statePaths.portalCertificate(stateDir)),
    token: read(statePaths.portalToken(stateDir)),
  };
  return { process: portal, access };
}

async function runLoad(order: Order): Promise<Outcome> {
  const child = spawn(process.execPath, [LOAD], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(order));
  return JSON.parse(await textOf(child.stdout)) as Outcome;
}

/** How often each detection is there: what is stored, and how many different ones. */
async function countStored({ address, certificate, token }: PortalAccess): Promise<{ rows: number; ids: number }> {
  const transport = createGrpcTransport({ baseUrl: address, nodeOptions: { ca: certificate } });
  const queries = createClient(QueryService, transport);
  const headers = { authorization: `Bearer ${token}` };
  const ids = new Set<string>();
  let rows = 0;
  for (let after = 0n, more = true; more; ) {
    const page = await queries.listDetections({ after, limit: PAGE_SIZE }, { headers });
    for (const { detection } of page.detections) ids.add(detection?.id ?? "");
    rows += page.detections.length;
    ({ next: after, more } = page);
  }
  return { rows, ids: ids.size };
}

const cpuOf = (pid: number): number => processTree(pid).reduce((sum, one) => sum + (cpuSeconds(one) ?? 0), 0);

async function measure(choices: Choices, cleanUps: CleanUps): Promise<Record<string, number>> {
  const { sensors, seconds, heartbeatS, detectionsPerS, kill } = choices;
  const database = await startPostgres(cleanUps, { max_connections: "50" });
  const portals = [await startPortal(cleanUps, database), ...(kill ? [await startPortal(cleanUps, database)] : [])];
  const [survivor, victim] = portals as [RunningPortal, RunningPortal?];
  const order = (process: number): Order => ({
    ...{ portals: portals.map(({ access }) => access), process, processes: LOAD_PROCESSES },
    ...{ sensors: Math.ceil(sensors / LOAD_PROCESSES), heartbeatS, seconds },
    detectionsPerS: detectionsPerS / LOAD_PROCESSES,
  });
  const loads = Array.from({ length: LOAD_PROCESSES }, (_, process) => runLoad(order(process)));
  const killing = victim && setTimeout(() => process.kill(victim.process.pid, "SIGKILL"), (seconds / 2) * MS_PER_S);
  const outcomes = await Promise.all(loads);
  clearTimeout(killing);
  const [portalCpu, databaseCpu] = [survivor.process.pid, database.process.pid].map(cpuOf) as [number, number];
  const { proportionalBytes } = memoryOf(survivor.process.pid);
  const heartbeats = outcomes.flatMap(({ heartbeatsMs }) => heartbeatsMs);
  const stored = await countStored(survivor.access);
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + of(one), 0);
  return {
    heartbeats: heartbeats.length,
    heartbeat_p50_ms: percentile(heartbeats, 0.5) ?? Number.NaN,
    heartbeat_p99_ms: percentile(heartbeats, 0.99) ?? Number.NaN,
    calls_failed: sum(({ failures }) => failures),
    detections_sent: sum(({ detections }) => detections),
    detections_stored: stored.rows,
    detections_different: stored.ids,
    portal_cpu_cores: portalCpu / seconds,
    database_cpu_cores: databaseCpu / seconds,
    portal_pss_bytes: proportionalBytes,
  };
}

const choices = readArguments(process.argv.slice(2));
const missing = whyNoPostgres();
if (typeof choices === "string") {
  console.error([choices, USAGE].filter(Boolean).join("\n"));
  process.exitCode = choices === "" ? 0 : 2;
} else if (missing) {
  console.error(missing);
  process.exitCode = 1;
} else {
  const cleanUps = new CleanUps();
  try {
    const machine = thisMachine();
    const figures = await measure(choices, cleanUps);
    const { detections_sent: sent, detections_stored: stored, detections_different: different } = figures;
    if (stored !== sent || different !== sent) process.exitCode = 1;
    const rows = Object.entries(figures).map(([name, value]) => [name, number(value)]);
    if (choices.json) console.log(JSON.stringify({ machine, ...choices, ...figures }));
    else console.log([machineText(machine), table(rows), `aim: heartbeat p99 ${HEARTBEAT_P99_MS} ms`].join("\n"));
  } finally {
    await cleanUps.run();
  }
}
