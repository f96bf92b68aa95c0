// One life of the server: configured, started, connected to, provisioned, watched until it ends.
import { chmodSync, mkdirSync } from "node:fs";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { pause, readSmallFile, type Stage, type StageName, streams, type ClientName, writeFileAtomic } from "@nightjar/stage";
import { serveAttach } from "./attach.ts";
import type { ServerBinary } from "./binary.ts";
import { renderConfiguration } from "./configuration.ts";
import { budgetOf, folderBytes, readDisk, streamBytes } from "./disk.ts";
import { Durables } from "./durables.ts";
import type { BusFiles } from "./files.ts";
import { grantsOf, inboxPrefix } from "./grants.ts";
import type { Key } from "./keys.ts";
import { choosePort, LOOPBACK } from "./port.ts";
import { isQueue, provisionStreams } from "./provision.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { setStreamsAside, storedStreams } from "./store.ts";
import { Watch } from "./watch.ts";

/** Reading a large store back may take long; a server that is not there after this is started anew. */
const READY_MS_MAX = 120_000;
const CONNECT_MS_MAX = 2_000;
const CONNECT_RETRY_MS = 10;

export interface LifeContext {
  stage: Stage;
  files: BusFiles;
  binary: ServerBinary;
  keys: ReadonlyMap<StageName | ClientName, Key>;
  /** Called when the streams stand and the address is written. */
  onReady: () => void;
}

/** How a life ended. */
export interface LifeEnd {
  /** Whether it had been ready. */
  ready: boolean;
  reason: string;
  /** What the server said last. */
  said: string;
}

interface Plan {
  port: number;
  budgetBytes: number;
  /** Streams that the store had before: the server must know them. */
  expected: readonly string[];
}

/** Runs the server until it ends, does not answer, or the stage stops; it is gone then. */
export async function liveOnce(context: LifeContext): Promise<LifeEnd> {
  const { stage, files, binary } = context;
  const plan = await prepare(context);
  const server = await startServer(binary.path, files);
  stage.childPids = [server.pid];
  const end: LifeEnd = { ready: false, reason: "", said: "" };
  const over = new AbortController();
  void server.exited.then(() => over.abort());
  const signal = AbortSignal.any([over.signal, stage.signal]);
  let connection: NatsConnection | undefined;
  try {
    connection = await connectWhenUp(context, plan.port, signal);
    if (connection) end.reason = (await serve(context, connection, plan, server, signal, () => (end.ready = true))) ?? "";
  } catch (error) {
    if (isBug(error)) throw error;
    end.reason = error instanceof Error ? error.message : String(error);
    stage.log.warn("lost the server", { error: error as Error });
  } finally {
    const died = server.gone;
    await connection?.close();
    await server.end();
    stage.childPids = [];
    end.reason = died || end.reason === "" ? await server.exited : end.reason;
    end.said = server.said();
  }
  return end;
}

/** Everything that is written before the server starts. */
async function prepare({ stage, files, binary, keys }: LifeContext): Promise<Plan> {
  for (const folder of [files.store, files.logFolder]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(files.folder, 0o700);
  const { disk_bytes, monitor_port } = stage.settings.bus;
  const budget = budgetOf(disk_bytes, readDisk(files.folder).freeBytes, folderBytes(files.store));
  if (budget.shortage) stage.health.raise("DISK_FULL", `the disk is too small: ${budget.shortage}`);
  // Existing streams come back with what was reserved for them, also when the budget is smaller now.
  const reserved = Number(readSmallFile(files.diskBudget)) || 0;
  const port = await choosePort(readSmallFile(files.port));
  const users = [...keys].map(([name, { publicKey }]) => ({ name, publicKey, grants: grantsOf(name) }));
  const storeBytes = Math.max(budget.bytes, reserved);
  const { version } = binary;
  writeIfChanged(stage, files.diskBudget, String(storeBytes));
  writeIfChanged(
    stage,
    files.configuration,
    renderConfiguration({ files, version, port, monitorPort: monitor_port, storeBytes, users }),
  );
  return { port, budgetBytes: budget.bytes, expected: storedStreams(files) };
}

/** On a full disk what was written last time serves, so that the bus can start and say that the disk is full. */
function writeIfChanged(stage: Stage, file: string, text: string): void {
  const last = readSmallFile(file);
  if (last === text.trim()) return;
  try {
    writeFileAtomic(file, text);
  } catch (error) {
    if (last === undefined || (error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    stage.health.raise("DISK_FULL", `${file} cannot be written; the last one serves`);
  }
}

/** Tries until the server accepts the bus's key; undefined when it ended or the stage stops. */
async function connectWhenUp(context: LifeContext, port: number, signal: AbortSignal): Promise<NatsConnection | undefined> {
  const key = context.keys.get("bus");
  if (!key) throw new TypeError("the bus has a key");
  let cause: unknown;
  for (const deadline = Date.now() + READY_MS_MAX; Date.now() < deadline; await pause(CONNECT_RETRY_MS, signal)) {
    if (signal.aborted) return undefined;
    try {
      return await connect({
        servers: `${LOOPBACK}:${port}`,
        authenticator: nkeyAuthenticator(key.seed),
        name: "nightjar-bus",
        inboxPrefix: inboxPrefix("bus"),
        // A new server is a new life with a new connection.
        reconnect: false,
        timeout: CONNECT_MS_MAX,
      });
    } catch (error) {
      cause = error;
    }
  }
  throw new Error(`the server did not come up within ${READY_MS_MAX} ms`, { cause });
}

/** Brings the streams up, tells where the server is, and watches. Resolves with a reason to start it anew, if any. */
async function serve(
  context: LifeContext,
  connection: NatsConnection,
  plan: Plan,
  server: ServerProcess,
  signal: AbortSignal,
  markReady: () => void,
): Promise<string | undefined> {
  const { stage, files } = context;
  const manager = await jetstreamManager(connection);
  const broken = await missingStreams(manager, plan.expected);
  if (broken.length > 0) {
    await connection.close();
    await server.end();
    const aside = setStreamsAside(files, broken);
    stage.health.raise("BUS_STORE_BROKEN", `the server could not read ${broken.join(", ")}; set aside in ${aside}`);
    return "streams could not be read";
  }
  await provisionStreams(manager, streams, streamBytes(streams, plan.budgetBytes));
  const durables = new Durables(manager);
  // Those who were reading lost what was on its way to them when the last server ended.
  for (const stream of streams.filter(isQueue)) await durables.anew(stream);
  writeIfChanged(stage, files.port, `${plan.port}\n`);
  writeIfChanged(stage, files.address, `nats://${LOOPBACK}:${plan.port}\n`);
  stage.facts.set("server_address", `${LOOPBACK}:${plan.port}`);
  stage.facts.set("server_pid", String(server.pid));
  stage.facts.set("disk_budget_bytes", String(plan.budgetBytes));
  serveAttach(connection, durables, stage);
  stage.bus.use(connection);
  markReady();
  context.onReady();
  return new Watch(manager, durables, stage).run(signal);
}

async function missingStreams(manager: JetStreamManager, expected: readonly string[]): Promise<string[]> {
  const known = new Set((await manager.streams.list().next()).map(({ config }) => config.name));
  return expected.filter((name) => !known.has(name));
}

/** Errors of our own code; all others come from the outside world. */
export function isBug(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
}
