// Starts a sensor of the benchmark's own, as a user would, and asks it what it counted and used.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  type Drop,
  DropReasonSchema,
  eventTypeName,
  type LedgerEntry,
  type StageStatus,
  wordsOf,
} from "@nightjar/proto";
import {
  askStatuses,
  busCredentials,
  connectOnce,
  pause,
  readSmallFile,
  stageNames,
  statePaths,
  streams,
} from "@nightjar/stage";
import { cpuSeconds, memoryOf, processTree, roleOf } from "../common/processes.ts";

const CLI = join(import.meta.dirname, "../../cli");
/** What a user's command runs: bundled where it was built. */
const BUNDLED = join(CLI, "dist/main.js");
const PROGRAM = existsSync(BUNDLED) ? BUNDLED : join(CLI, "src/main.ts");
/** Each deed is looked for by a detection of its own, and none is given up. */
const EACH_DEED = ["--rule-engine-fold-repeats", "false", "--governor-enabled", "false"];
const READY_MS_MAX = 60_000;
const READY_LOOK_MS = 100;
const STOP_MS_MAX = 20_000;
const OUTPUT_CHARACTERS_MAX = 64 * 1024;
/** How long the last event of a storm may take through the sensor before the benchmark goes on without it. */
const DRAIN_MS_MAX = 60_000;
const DRAIN_LOOK_MS = 50;
/** The last of a storm may still be in the kernel's ring when the bus is at rest for a moment. */
const REST_MS_MIN = 500;
/** The machine is never quite at rest: some batches of its own events may be on their way at any moment. */
const MESSAGES_AT_REST_MAX = 8;

/** Sums over all event types since the sensor's start. */
export interface Ledger {
  seen: number;
  filtered: number;
  submitted: number;
  dropped: number;
  /** Of submitted, by event type. */
  submittedByType: Record<string, number>;
  droppedByReason: Record<string, number>;
}

export interface Snapshot {
  ledger: Ledger;
  /** Processor time in seconds by role; processes of one role are added. */
  cpuS: Map<string, number>;
}

export interface ProcessMemory {
  role: string;
  pid: number;
  peakResidentBytes: number;
  proportionalBytes: number;
}

const dropWords = wordsOf(DropReasonSchema);

function reasonOf({ reason }: Drop): string {
  return dropWords.get(reason) ?? `reason-${reason}`;
}

/** Adds the entries of all event types. */
export function sumLedger(entries: readonly LedgerEntry[]): Ledger {
  const sum: Ledger = { seen: 0, filtered: 0, submitted: 0, dropped: 0, submittedByType: {}, droppedByReason: {} };
  for (const entry of entries) {
    sum.seen += Number(entry.seen);
    sum.filtered += Number(entry.filtered);
    sum.submitted += Number(entry.submitted);
    const name = eventTypeName(entry.type);
    sum.submittedByType[name] = (sum.submittedByType[name] ?? 0) + Number(entry.submitted);
    for (const drop of entry.drops) {
      sum.dropped += Number(drop.count);
      const reason = reasonOf(drop);
      sum.droppedByReason[reason] = (sum.droppedByReason[reason] ?? 0) + Number(drop.count);
    }
  }
  return sum;
}

/** What was counted between two looks; entries that stayed at 0 are left out. */
export function ledgerBetween(before: Ledger, after: Ledger): Ledger {
  const records = (a: Record<string, number>, b: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(b)
        .map(([name, count]) => [name, count - (a[name] ?? 0)] as const)
        .filter(([, count]) => count !== 0),
    );
  return {
    seen: after.seen - before.seen,
    filtered: after.filtered - before.filtered,
    submitted: after.submitted - before.submitted,
    dropped: after.dropped - before.dropped,
    submittedByType: records(before.submittedByType, after.submittedByType),
    droppedByReason: records(before.droppedByReason, after.droppedByReason),
  };
}

export class Sensor {
  readonly stateDir: string;
  /** From the command to the moment every stage was ready. */
  readonly startS: number;
  readonly #child: ChildProcess;
  readonly #connection: NatsConnection;
  #manager: JetStreamManager | undefined;

  private constructor(stateDir: string, startS: number, child: ChildProcess, connection: NatsConnection) {
    this.stateDir = stateDir;
    this.startS = startS;
    this.#child = child;
    this.#connection = connection;
  }

  /** Runs `nightjar run` with a new state folder below `folder`, and waits until all stages are ready. */
  static async start(folder: string, rules: readonly string[]): Promise<Sensor> {
    const started = performance.now();
    const stateDir = mkdtempSync(join(folder, "state-"));
    const child = spawn(
      process.execPath,
      [PROGRAM, "run", "--state-dir", stateDir, ...EACH_DEED, "--rules", ...rules],
      {
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    try {
      const connection = await connectWhenReady(stateDir, child);
      return new Sensor(stateDir, (performance.now() - started) / 1000, child, connection);
    } catch (error) {
      await end(child);
      throw new Error(`the sensor did not start: ${(error as Error).message}\n${output}`, { cause: error });
    }
  }

  /** What was counted and used so far. */
  async snapshot(): Promise<Snapshot> {
    const statuses = await this.statuses();
    const cpuS = new Map<string, number>();
    for (const { role, pid } of this.#processes()) cpuS.set(role, (cpuS.get(role) ?? 0) + (cpuSeconds(pid) ?? 0));
    return { ledger: sumLedger(statuses.flatMap(({ ledger }) => ledger)), cpuS };
  }

  statuses(): Promise<StageStatus[]> {
    return askStatuses(this.#connection);
  }

  /** Waits until the bus is at rest, and returns after how many s it was; undefined when that took too long. */
  async drained(): Promise<number | undefined> {
    const started = performance.now();
    let restSince: number | undefined;
    for (let now = started; now - started < DRAIN_MS_MAX; now = performance.now()) {
      if ((await this.#waitingMessages()) > MESSAGES_AT_REST_MAX) restSince = undefined;
      else restSince ??= now;
      if (restSince !== undefined && now - restSince >= REST_MS_MIN) return (restSince - started) / 1000;
      await pause(DRAIN_LOOK_MS);
    }
    return undefined;
  }

  memory(): ProcessMemory[] {
    return this.#processes().map(({ role, pid }) => ({ role, pid, ...memoryOf(pid) }));
  }

  async stop(): Promise<void> {
    await this.#connection.close();
    await end(this.#child);
    await rm(this.stateDir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Messages in the queues that their readers have not acknowledged. */
  async #waitingMessages(): Promise<number> {
    this.#manager ??= await jetstreamManager(this.#connection, { checkAPI: false });
    let waiting = 0;
    for (const { name, readers } of streams.filter(({ retention }) => retention === "work_queue")) {
      const info = await this.#manager.consumers.info(name, readers[0] ?? "");
      waiting += info.num_pending + info.num_ack_pending;
    }
    return waiting;
  }

  #processes(): { role: string; pid: number }[] {
    const tree = processTree(this.#child.pid ?? -1);
    return tree.flatMap((pid) => {
      const role = roleOf(pid);
      return role ? [{ role, pid }] : [];
    });
  }
}

/** Connects to the sensor's bus once all stages say that they are ready and the portal has its address. */
async function connectWhenReady(stateDir: string, child: ChildProcess): Promise<NatsConnection> {
  const end = performance.now() + READY_MS_MAX;
  for (let missing = "the bus"; performance.now() < end; await pause(READY_LOOK_MS)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}, waiting for ${missing}`);
    }
    const credentials = busCredentials(stateDir, "operator");
    if (!credentials) continue;
    const connection = await connectOnce(credentials.address, credentials.seed, "operator");
    const statuses = await askStatuses(connection);
    const waiting = stageNames.filter((name) => !statuses.some(({ stage, ready }) => stage === name && ready));
    if (waiting.length === 0 && readSmallFile(statePaths.portalAddress(stateDir))) return connection;
    missing = waiting.join(", ") || "portal";
    await connection.close();
  }
  throw new Error(`it was not ready in ${READY_MS_MAX / 1000} s`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const leader = child.pid;
  const late = setTimeout(() => process.kill(-leader, "SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(late);
}
