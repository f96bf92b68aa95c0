// Measures the uplink: detections a second to the embedded portal, what one costs, heartbeats, memory.
//
//   nightjar bench uplink [--rate N] [--seconds N] [--idle-s N] [--json]
//
// A real bus, uplink and portal; detections are published as the rule engine does, at a rate, and counted when the
// portal has them.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { type Detection, DetectionBatchSchema, DetectionSchema, Priority } from "@nightjar/proto";
import { askStatuses, busCredentials, connectOnce, pause } from "@nightjar/stage";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import { CleanUps } from "../common/clean-ups.ts";
import { thisMachine } from "../common/machine.ts";
import { cpuSeconds, memoryOf } from "../common/processes.ts";
import { machineText, number, table } from "../common/text.ts";

const USAGE = "usage: nightjar bench uplink [--rate N] [--seconds N] [--idle-s N] [--json]";
const SERVICES = join(import.meta.dirname, "../../services");
const BATCH = 50;
const ID_BYTES = 16;
const READY_TIMEOUT_MS = 60_000;
const DRAIN_TIMEOUT_MS = 10 * 60_000;
const MS_PER_S = 1_000;
const US_PER_S = 1e6;
const PRIORITIES = [Priority.CRITICAL, Priority.WARNING, Priority.NOTICE];
/** What is meant: detections a second to the embedded portal. */
const RATE_AIM = 5_000;

interface Choices {
  rate: number;
  seconds: number;
  idleS: number;
  json: boolean;
}

function readArguments(args: readonly string[]): Choices | string {
  const options = {
    rate: { type: "string", default: String(RATE_AIM) },
    seconds: { type: "string", default: "20" },
    "idle-s": { type: "string", default: "30" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return "";
    const names = ["rate", "seconds", "idle-s"] as const;
    const wrong = names.find((name) => !/^[1-9]\d{0,6}$/.test(values[name]));
    if (wrong) return `--${wrong} is a whole number from 1`;
    const [rate, seconds, idleS] = names.map((name) => Number(values[name])) as [number, number, number];
    return { rate, seconds, idleS, json: values.json };
  } catch (error) {
    return (error as Error).message;
  }
}

/** A bus, a portal and an uplink on a state folder of their own. */
class Scene {
  readonly portal: TestProcess;
  readonly uplink: TestProcess;
  readonly #stateDir: string;

  private constructor(stateDir: string, portal: TestProcess, uplink: TestProcess) {
    this.#stateDir = stateDir;
    this.portal = portal;
    this.uplink = uplink;
  }

  static async start(cleanUps: CleanUps, more: Record<string, string> = {}): Promise<Scene> {
    const stateDir = temporaryFolder(cleanUps);
    const env = { NIGHTJAR_STATE_DIR: stateDir, NIGHTJAR_UPLINK_FAST_WINDOW_S: "86400", ...more };
    const start = async (name: string) => {
      const process_ = startProcess(cleanUps, process.execPath, [join(SERVICES, name, "dist/main.js")], { env });
      const isReady = () => process_.stderr.includes(`"${name} is ready"`);
      const explain = () => process_.stderr;
      await waitFor(isReady, { what: `${name} is ready`, timeoutMs: READY_TIMEOUT_MS, explain });
      return process_;
    };
    await start("bus");
    return new Scene(stateDir, await start("portal"), await start("uplink"));
  }

  async connect(cleanUps: CleanUps, name: "operator" | "rule-engine") {
    const credentials = busCredentials(this.#stateDir, name);
    if (!credentials) throw new Error("the bus has no address");
    const connection = await connectOnce(credentials.address, credentials.seed, name);
    cleanUps.teardown(() => connection.close());
    return connection;
  }
}

/** As large as a detection of an open with a line of four processes. */
function detections(count: number): Detection[] {
  const words = (length: number) => Array.from({ length }, () => "/usr/lib/some/where/program --with=an-argument");
  return Array.from({ length: count }, (_, at) =>
    create(DetectionSchema, {
      id: randomBytes(ID_BYTES).toString("hex"),
      rule: "Read sensitive file untrusted",
      priority: PRIORITIES[at % PRIORITIES.length] as Priority,
      output: `a file was read | ${words(4).join(" ")}`,
      time: timestampFromMs(Date.now()),
      tags: ["mitre_credential_access", "T1555"],
      processes: words(4).map((args, index) => {
        return { pid: 1_000 + index, name: Buffer.from("program"), image: { args: [Buffer.from(args)] } };
      }),
    }),
  );
}

/** Publishes at the rate; resolves with how many there were. */
async function publish(writer: JetStreamClient, { rate, seconds }: Choices): Promise<number> {
  const startedAt = performance.now();
  const pending = new Set<Promise<unknown>>();
  let count = 0;
  for (let passedS = 0; passedS < seconds; passedS = (performance.now() - startedAt) / MS_PER_S) {
    for (; count < passedS * rate; count += BATCH) {
      const batch = create(DetectionBatchSchema, { detections: detections(BATCH) });
      const stored = writer.publish("nightjar.detections.warning", toBinary(DetectionBatchSchema, batch));
      pending.add(stored);
      void stored.finally(() => pending.delete(stored));
    }
    await pause(MS_PER_S / 100);
  }
  await Promise.all(pending);
  return count;
}

async function measureRate(choices: Choices, cleanUps: CleanUps): Promise<Record<string, number>> {
  const scene = await Scene.start(cleanUps);
  const operator = await scene.connect(cleanUps, "operator");
  const writer = jetstream(await scene.connect(cleanUps, "rule-engine"));
  const sent = async () => {
    const uplink = (await askStatuses(operator)).find(({ stage }) => stage === "uplink");
    return Number(uplink?.counters.detections_sent ?? 0n);
  };
  const cpu = () => [scene.uplink, scene.portal].map(({ pid }) => cpuSeconds(pid) ?? 0) as [number, number];
  const [uplinkBefore, portalBefore] = cpu();
  const startedAt = performance.now();
  const published = await publish(writer, choices);
  const backlog = published - (await sent());
  await waitFor(async () => (await sent()) >= published, { what: "all are sent", timeoutMs: DRAIN_TIMEOUT_MS });
  const tookS = (performance.now() - startedAt) / MS_PER_S;
  const [uplinkAfter, portalAfter] = cpu();
  return {
    detections: published,
    detections_per_s: published / tookS,
    backlog_when_published: backlog,
    uplink_us_per_detection: ((uplinkAfter - uplinkBefore) / published) * US_PER_S,
    portal_us_per_detection: ((portalAfter - portalBefore) / published) * US_PER_S,
    uplink_pss_bytes: memoryOf(scene.uplink.pid).proportionalBytes,
    uplink_peak_rss_bytes: memoryOf(scene.uplink.pid).peakResidentBytes,
    portal_pss_bytes: memoryOf(scene.portal.pid).proportionalBytes,
  };
}

/** The uplink's CPU in a time without detections, at one heartbeat a second and at none: the difference is theirs. */
async function measureHeartbeats({ idleS }: Choices, cleanUps: CleanUps): Promise<Record<string, number>> {
  const idle = async (intervalS: number) => {
    const scene = await Scene.start(cleanUps, { NIGHTJAR_UPLINK_HEARTBEAT_INTERVAL_S: String(intervalS) });
    const of = () => [scene.uplink, scene.portal].map(({ pid }) => cpuSeconds(pid) ?? 0) as [number, number];
    const before = of();
    await pause(idleS * MS_PER_S);
    const after = of();
    return after.map((one, index) => ((one - (before[index] ?? 0)) * MS_PER_S) / idleS) as [number, number];
  };
  const [beating, quiet] = [await idle(1), await idle(3_600)];
  return {
    uplink_ms_per_heartbeat: beating[0] - quiet[0],
    portal_ms_per_heartbeat: beating[1] - quiet[1],
    uplink_idle_percent: quiet[0] / (MS_PER_S / 100),
  };
}

const choices = readArguments(process.argv.slice(2));
if (typeof choices === "string") {
  console.error([choices, USAGE].filter(Boolean).join("\n"));
  process.exitCode = choices === "" ? 0 : 2;
} else {
  const cleanUps = new CleanUps();
  try {
    const machine = thisMachine();
    const figures = { ...(await measureRate(choices, cleanUps)), ...(await measureHeartbeats(choices, cleanUps)) };
    const rows = Object.entries(figures).map(([name, value]) => [name, number(value)]);
    if (choices.json) console.log(JSON.stringify({ machine, ...choices, ...figures }));
    else console.log([machineText(machine), table(rows), `aim: ${number(RATE_AIM)} detections/s`].join("\n"));
  } finally {
    await cleanUps.run();
  }
}
