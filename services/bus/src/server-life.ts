// One life of the server: configured, started, connected to, provisioned, watched until it ends.
import { chmodSync, mkdirSync } from "node:fs";
import { JetStreamApiError, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  describeError,
  isDiskFull,
  readDisk,
  readSmallFile,
  type Stage,
  streams,
  writeFileAtomic,
} from "@nightjar/stage";
import { serveAttach } from "./attach.ts";
import { atLeast, type ServerBinary, VERSION_WITHOUT_FAULT } from "./binary.ts";
import { renderConfiguration } from "./configuration.ts";
import { connectWhenUp } from "./connect.ts";
import { type Budget, budgetOf, folderBytes, streamBytes } from "./disk.ts";
import { Durables } from "./durables.ts";
import { isBug } from "./errors.ts";
import type { BusFiles } from "./files.ts";
import { grantsOf, type KeyName } from "./grants.ts";
import type { Key } from "./keys.ts";
import { choosePort, LOOPBACK } from "./port.ts";
import { hasDurable, provisionStreams } from "./provision.ts";
import { closedWhenDiskFull } from "./room.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { adoptOlderStore, forgetConsumers, setStreamsAside, storedStreams } from "./store.ts";
import { Watch } from "./watch.ts";

export interface LifeContext {
  stage: Stage;
  files: BusFiles;
  binary: ServerBinary;
  keys: ReadonlyMap<KeyName, Key>;
  /** Called when the streams stand and the address is written. */
  onReady: () => void;
}

/** How a life ended. */
export interface LifeEnd {
  /** Whether it had been ready. */
  ready: boolean;
  reason: string;
  /** The store is to blame: the server refused it, or what it holds. */
  storeFailed: boolean;
  /** What the server complained of. */
  said: string;
}

/** nats-server's errors for a stream or consumer whose files it cannot make or use (its errors.json). */
const STORE_FAILED = new Set([10049, 10077, 10104]);
/** "Can't start JetStream" and its like, in the server's own words. */
const STORE_REFUSED = /\[FTL\].*(jetstream|store)/i;

/** Stages with users of their own come to the address through the folder, and see nothing else of it. */
const FOLDER_MODE = 0o711;
const ADDRESS_MODE = 0o644;

interface Plan {
  port: number;
  budget: Budget;
  /** Streams that the store had before: the server must know them. */
  expected: readonly string[];
}

/** One life while it lasts. */
interface Life {
  context: LifeContext;
  plan: Plan;
  server: ServerProcess;
  /** Aborted when the server is gone or the stage stops. */
  signal: AbortSignal;
  end: LifeEnd;
}

/** Runs the server until it ends, does not answer, or the stage stops; it is gone then. */
export async function liveOnce(context: LifeContext): Promise<LifeEnd> {
  const { stage, files, binary } = context;
  const plan = await prepare(context);
  const server = await startServer(binary.path, files);
  stage.childPids = [server.pid];
  const end: LifeEnd = { ready: false, reason: "", storeFailed: false, said: "" };
  const over = new AbortController();
  void server.exited.then(() => over.abort());
  const signal = AbortSignal.any([over.signal, stage.signal]);
  try {
    const managing = await connectWhenUp(plan.port, "manager", context.keys, signal);
    const answering = managing && (await connectWhenUp(plan.port, "bus", context.keys, signal));
    const life = { context, plan, server, signal, end };
    if (managing && answering) end.reason = (await serve(life, managing, answering)) ?? "";
  } catch (error) {
    if (isBug(error)) throw error;
    end.reason = describeError(error);
    end.storeFailed = error instanceof JetStreamApiError && STORE_FAILED.has(error.code);
  } finally {
    // The connections end with the server they belong to.
    await server.end();
    stage.childPids = [];
    end.reason = [end.reason, await server.exited].filter(Boolean).join("; ");
    end.said = server.said();
    end.storeFailed ||= !end.ready && STORE_REFUSED.test(end.said);
  }
  return end;
}

/** Everything that is written before the server starts. */
async function prepare({ stage, files, binary, keys }: LifeContext): Promise<Plan> {
  for (const folder of [files.store, files.logFolder]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(files.folder, FOLDER_MODE);
  const { disk_bytes, monitor_port, leaf_url, leaf_credentials, leaf_ca } = stage.settings.bus;
  const budget = budgetOf(disk_bytes, readDisk(files.folder).freeBytes, folderBytes(files.store));
  // Existing streams come back with what was reserved for them, also when the budget is smaller now.
  const reserved = Number(readSmallFile(files.diskBudget)) || 0;
  const port = await choosePort(readSmallFile(files.port));
  const users = [...keys].map(([name, { publicKey }]) => ({ name, publicKey, grants: grantsOf(name) }));
  const leaf = { url: leaf_url, credentials: leaf_credentials, ca: leaf_ca };
  const storeBytes = Math.max(budget.bytes, reserved);
  const { version } = binary;
  writeIfChanged(stage, files.diskBudget, String(storeBytes));
  writeIfChanged(
    stage,
    files.configuration,
    renderConfiguration({ files, version, port, monitorPort: monitor_port, storeBytes, users, leaf }),
  );
  adoptOlderStore(files);
  forgetConsumers(files);
  return { port, budget, expected: storedStreams(files) };
}

/** On a full disk what was written last time serves, so that the bus can start and say that the disk is full. */
function writeIfChanged(stage: Stage, file: string, text: string, mode?: number): void {
  const last = readSmallFile(file);
  if (last === text.trim()) return;
  try {
    writeFileAtomic(file, text, mode);
  } catch (error) {
    if (last === undefined || (error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    stage.health.raise("DISK_FULL", `${file} cannot be written; the last one serves`);
  }
}

/** Brings the streams up, tells where the server is, and watches. Resolves with a reason to start it anew, if any. */
async function serve(life: Life, managing: NatsConnection, answering: NatsConnection): Promise<string | undefined> {
  const { context, plan, server, signal, end } = life;
  const { stage, files } = context;
  const manager = await jetstreamManager(managing);
  const broken = await missingStreams(manager, plan.expected);
  if (broken.length > 0) {
    await server.end();
    const aside = setStreamsAside(files, broken);
    stage.health.raise("BUS_STORE_BROKEN", `the server could not read ${broken.join(", ")}; set aside in ${aside}`);
    return "streams could not be read";
  }
  const sizes = streamBytes(streams, plan.budget.bytes);
  const diskFull = isDiskFull(readDisk(files.folder));
  await provisionStreams(manager, streams, sizes, diskFull ? closedWhenDiskFull(streams) : []);
  const durables = new Durables(manager);
  for (const stream of streams.filter(hasDurable)) await durables.anew(stream);
  writeIfChanged(stage, files.port, `${plan.port}\n`);
  writeIfChanged(stage, files.address, `nats://${LOOPBACK}:${plan.port}\n`, ADDRESS_MODE);
  stage.facts.set("server_address", `${LOOPBACK}:${plan.port}`);
  stage.facts.set("server_pid", String(server.pid));
  stage.facts.set("disk_budget_bytes", String(plan.budget.bytes));
  serveAttach(answering, durables, stage);
  await stage.bus.use(answering);
  end.ready = true;
  context.onReady();
  const faulty = !atLeast(context.binary.version, VERSION_WITHOUT_FAULT);
  const options = { sizes, diskFull, faulty, shortage: plan.budget.shortage, gaveUp: () => server.gaveUp() };
  return new Watch(manager, durables, stage, options).run(signal);
}

async function missingStreams(manager: JetStreamManager, expected: readonly string[]): Promise<string[]> {
  const known = new Set((await manager.streams.list().next()).map(({ config }) => config.name));
  return expected.filter((name) => !known.has(name));
}
