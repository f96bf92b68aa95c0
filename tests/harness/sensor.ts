// A whole sensor for a test: `nightjar run` on a folder of its own, and the ways to look at it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { QueryService, type StageStatus, type StoredDetection } from "@nightjar/proto";
import {
  askStatuses,
  busCredentials,
  connectOnce,
  removePinsOf,
  type StageName,
  stageNames,
  statePaths,
} from "@nightjar/stage";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const BPFFS = "/sys/fs/bpf";
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const PAGE_SIZE = 1_000;
/** Of a stage's log, in the report of a failed test. */
const LINES_REPORTED = 20;

/** Those of a sensor's processes that a test may want to kill. */
export type Victim = StageName | "portal" | "nats-server";

export interface SensorOptions {
  /** The command as it is installed; by default that of the checkout. */
  command?: string;
  /** Arguments behind `nightjar run`. */
  args?: readonly string[];
  env?: Record<string, string>;
  /** What `nightjar run` must have started before the test goes on; all stages by default. */
  stages?: readonly StageName[];
}

/** A line of a stage's log. */
export interface LogLine {
  level: string;
  target: string;
  fields: { message: string; code?: string } & Record<string, unknown>;
}

/** Why no sensor can watch this kernel from here, undefined when one can. */
export function whyNoKernel(): string | undefined {
  if (process.getuid?.() !== 0) return "loading eBPF needs root";
  return undefined;
}

const show = (value: unknown) => JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `${inner}` : inner));

export class Sensor {
  readonly stateDir: string;
  readonly process: TestProcess;
  #operator: Promise<NatsConnection> | undefined;

  constructor(stateDir: string, started: TestProcess) {
    this.stateDir = stateDir;
    this.process = started;
  }

  /** The status of every stage that answers. */
  async statuses(): Promise<StageStatus[]> {
    const credentials = busCredentials(this.stateDir, "operator");
    if (!credentials) return [];
    this.#operator ??= connectOnce(credentials.address, credentials.seed, "operator");
    try {
      return await askStatuses(await this.#operator);
    } catch (error) {
      this.#operator = undefined;
      throw error;
    }
  }

  /** A client of the embedded portal, made anew since the portal may have moved. */
  portal(): Client<typeof QueryService> {
    const read = (file: string) => readFileSync(file, "utf8").trim();
    const token = read(statePaths.portalToken(this.stateDir));
    const transport = createGrpcTransport({
      baseUrl: read(statePaths.portalAddress(this.stateDir)),
      nodeOptions: { ca: read(statePaths.portalCertificate(this.stateDir)) },
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    });
    return createClient(QueryService, transport);
  }

  /** All detections the portal has, the oldest first. */
  async detections(): Promise<StoredDetection[]> {
    const portal = this.portal();
    const all: StoredDetection[] = [];
    for (let after = 0n; ; ) {
      const page = await portal.listDetections({ after, limit: PAGE_SIZE });
      all.push(...page.detections);
      if (!page.more) return all;
      after = page.next;
    }
  }

  /** What a stage has logged, the lines as they stand in its file. */
  log(stage: StageName): LogLine[] {
    const lines = readFileSync(statePaths.log(this.stateDir, stage), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  }

  /** The process ids by name, as the supervisor and the stages tell them. */
  pid(victim: Victim): number | undefined {
    if (victim === "nats-server") return this.#readNumber(join(this.stateDir, "bus", "nats-server.pid"));
    const { stages } = JSON.parse(readFileSync(statePaths.supervisor(this.stateDir), "utf8"));
    return stages[victim]?.pid;
  }

  /** What the sensor says of itself, for the report of a test that failed: counters, health, warnings, detections. */
  async describe(): Promise<string> {
    const attempt = async (what: string, tell: () => Promise<string[]>) =>
      await tell().catch((error) => [`${what}: ${error.message}`]);
    const counters = await attempt("statuses", async () =>
      (await this.statuses()).map(({ stage, ready, counters, healthIssues, facts }) => {
        const counted = Object.entries(counters).filter(([, value]) => value !== 0n);
        return `${stage} ready=${ready} ${show({ counters: Object.fromEntries(counted), healthIssues, facts })}`;
      }),
    );
    const warnings = stageNames.map((stage) =>
      attempt(`log of ${stage}`, async () => {
        const lines = this.log(stage).filter(({ level }) => level !== "INFO" && level !== "DEBUG");
        return lines.slice(-LINES_REPORTED).map((line) => `${stage} ${line.level} ${show(line.fields)}`);
      }),
    );
    const detections = await attempt("detections", async () =>
      (await this.detections()).map(({ detection }) => `detection ${detection?.rule}: ${detection?.output}`),
    );
    return [...counters, ...(await Promise.all(warnings)).flat(), ...detections].join("\n");
  }

  async close(): Promise<void> {
    const operator = await this.#operator?.catch(() => undefined);
    await operator?.close();
    await this.process.stop({ timeoutMs: STOP_TIMEOUT_MS });
  }

  #readNumber(file: string): number | undefined {
    try {
      return Number(readFileSync(file, "utf8")) || undefined;
    } catch {
      return undefined;
    }
  }
}

/** Starts a sensor in a temporary folder and waits until all of it is ready; it is stopped with the test. */
export async function startSensor(
  test: Parameters<typeof startProcess>[0],
  { command, args = [], env = {}, stages = stageNames }: SensorOptions = {},
): Promise<Sensor> {
  const stateDir = temporaryFolder(test);
  const argv = [...(command ? [] : [CLI]), "run", "--state-dir", stateDir, "--json", ...args];
  const started = startProcess(test, command ?? process.execPath, argv, { env, group: true });
  const sensor = new Sensor(stateDir, started);
  test.teardown(async () => {
    if (test.passed === false) process.stderr.write(`${await sensor.describe()}\n`);
    await sensor.close();
    // One that had to be killed leaves its programs in the kernel.
    removePinsOf(BPFFS, stateDir);
  });
  await waitFor(
    async () => {
      if (!started.running) throw new Error("nightjar run has ended");
      const ready = (await sensor.statuses()).filter((one) => one.ready).map((one) => one.stage);
      return stages.every((stage) => ready.includes(stage)) && readFileSync(statePaths.portalAddress(stateDir));
    },
    {
      what: "every stage is ready",
      timeoutMs: READY_TIMEOUT_MS,
      explain: () => `${started.stdout}\n${started.stderr}`,
    },
  );
  return sensor;
}
