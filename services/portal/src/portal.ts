// The portal as a whole: store, services and housekeeping in one folder.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { HealthService, QueryService, SensorService } from "@nightjar/proto";
import { type Logger, readSmallFile, writeFileAtomic } from "@nightjar/stage";
import { type Accounts, openAccounts } from "./accounts/accounts.ts";
import type { Clock } from "./clock.ts";
import { isAuthorized, loadCredentials } from "./credentials.ts";
import { PortalError } from "./errors.ts";
import { Feed } from "./feed.ts";
import { HEALTH_CALLERS, openHealth } from "./health/open.ts";
import { healthService } from "./health/service.ts";
import { Intake } from "./intake.ts";
import { CHECKPOINT_INTERVAL_MS, SWEEP_INTERVAL_MS } from "./limits.ts";
import { lockFolder } from "./lock.ts";
import { type Authenticate, localPrincipal } from "./principal.ts";
import { queryService } from "./query-service.ts";
import { assertRoom, type FreeBytes, freeBytes } from "./room.ts";
import { sensorService } from "./sensor-service.ts";
import { LISTEN_HOST, type Registration, type RunningServer, registration, serve } from "./server.ts";
import { Store } from "./store.ts";
import { openStoreFolder } from "./store-folder.ts";

const MS_PER_DAY = 24 * 60 * 60 * 1_000;

export interface PortalOptions {
  /** The portal's own folder. */
  folder: string;
  /** 0 keeps the port of the last start where that is free. */
  port: number;
  retentionDays: number;
  /** Of access tokens. */
  tokenLifetimeS: number;
  clock: Clock;
  log: Logger;
  /** The store is broken for good: the process should end and be started again. */
  crash: (error: unknown) => void;
  /** Given by tests. */
  freeBytes?: FreeBytes;
}

export interface Portal {
  /** Such as https://127.0.0.1:8443. */
  address: string;
  /** Deletes what is older than the retention; the portal does so itself, too. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

/** Starts a portal; when it resolves, the file `address` in the folder tells that it is ready. Throws PortalError. */
export async function startPortal(options: PortalOptions): Promise<Portal> {
  const { folder } = options;
  const unlock = lockFolder(folder);
  try {
    return await startLocked(options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function startLocked(options: PortalOptions, unlock: () => void): Promise<Portal> {
  const { folder, clock, log } = options;
  const addressFile = join(folder, "address");
  rmSync(addressFile, { force: true });
  const room = () => assertRoom(folder, options.freeBytes ?? freeBytes);
  room();
  const database = await openStoreFolder(folder);
  const store = new Store(database, room);
  const health = await openHealth(database, room, options);
  const feed = new Feed(await store.lastCursor());
  const intake = new Intake(store, feed, clock);
  const failed = (error: unknown) => void judge(error, store, options);
  const accounts = await openAccounts({ ...options, database, room, failed });
  const services = [
    accounts.service,
    registration(SensorService, sensorService(health.outages, intake, clock, failed), ["sensor"]),
    registration(QueryService, queryService(store, feed, clock), ["operator"]),
    registration(HealthService, healthService({ ...health, clock, failed }), HEALTH_CALLERS),
  ];
  const server = await serveOnKeptPort(options, { ...accounts, services, failed });
  const sweep = async () => {
    const deleted = await store.deleteReceivedBefore(clock() - options.retentionDays * MS_PER_DAY);
    if (deleted > 0) log.info("detections deleted, their time is over", { deleted, days: options.retentionDays });
    await health.sweep();
    return deleted;
  };
  const housekeeping = (work: () => Promise<unknown>) => () =>
    void work().catch((error) => judge(error, store, options));
  const timers = [
    setInterval(housekeeping(sweep), SWEEP_INTERVAL_MS),
    setInterval(
      housekeeping(() => store.maintain()),
      CHECKPOINT_INTERVAL_MS,
    ),
  ];
  housekeeping(sweep)();
  const address = `https://${LISTEN_HOST}:${server.port}`;
  writeFileAtomic(addressFile, `${address}\n`);
  return {
    address,
    sweep,
    async close() {
      for (const timer of timers) clearInterval(timer);
      rmSync(addressFile, { force: true });
      await server.close();
      await intake.drain();
      await store.close();
      unlock();
    },
  };
}

/** A database that still answers has only refused a statement, e.g. on a full disk; one that does not is gone. */
async function judge(error: unknown, store: Store, { log, crash }: PortalOptions): Promise<void> {
  if (error instanceof PortalError) return log.error(error.message, { code: error.code });
  log.error("the store failed", { error: error instanceof Error ? error : String(error) });
  await store.probe().catch(crash);
}

interface Served extends Pick<Accounts, "authenticate" | "route"> {
  services: readonly Registration[];
  failed: (error: unknown) => void;
}

async function serveOnKeptPort(options: PortalOptions, served: Served): Promise<RunningServer> {
  const { folder, clock, log } = options;
  const credentials = await loadCredentials(folder, clock);
  const authenticate: Authenticate = async (header) =>
    isAuthorized(header, credentials.token) ? localPrincipal : served.authenticate(header);
  const serveOn = (port: number) => serve({ ...served, port, credentials, authenticate, routes: [served.route] });
  const portFile = join(folder, "port");
  const wanted = options.port || Number(readSmallFile(portFile)) || 0;
  let server: RunningServer;
  try {
    server = await serveOn(wanted);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || options.port !== 0) throw error;
    log.warn("the port of the last start is taken; choosing another", { port: wanted });
    server = await serveOn(0);
  }
  writeFileAtomic(portFile, `${server.port}\n`);
  return server;
}
