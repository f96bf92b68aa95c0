// The portal as a whole: store, services and housekeeping in one folder.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HealthService, IntelService, InventoryService, QueryService, SensorService } from "@nightjar/proto";
import { describeError, type Logger, readSmallFile, writeFileAtomic } from "@nightjar/stage";
import { openAccounts } from "./accounts/accounts.ts";
import type { Clock } from "./clock.ts";
import { openContent } from "./content/content.ts";
import { type CertificateFiles, isAuthorized, loadCredentials } from "./credentials.ts";
import type { Database } from "./database.ts";
import { PortalError } from "./errors.ts";
import { Feed } from "./feed.ts";
import { HEALTH_CALLERS, openHealth } from "./health/open.ts";
import { healthService } from "./health/service.ts";
import { Intake } from "./intake.ts";
import { intelCallers, intelService } from "./intel-service.ts";
import { IntelStore } from "./intel-store.ts";
import { inventoryCallers, inventoryService } from "./inventory/service.ts";
import { InventoryStore } from "./inventory/store.ts";
import { CHECKPOINT_INTERVAL_MS, SWEEP_INTERVAL_MS } from "./limits.ts";
import { lockFolder } from "./lock.ts";
import { migrate } from "./migrations.ts";
import { openPostgres, type PostgresOptions } from "./postgres.ts";
import { type Authenticate, localPrincipal } from "./principal.ts";
import { queryService } from "./query-service.ts";
import { assertRoom, type FreeBytes, freeBytes } from "./room.ts";
import { sensorService } from "./sensor-service.ts";
import { type RunningServer, registration, type ServerOptions, serve } from "./server.ts";
import { Store } from "./store.ts";
import { openStoreFolder } from "./store-folder.ts";
import { openVulnerabilities } from "./vulnerabilities/vulnerabilities.ts";

const MS_PER_DAY = 24 * 60 * 60 * 1_000;

export interface PortalOptions {
  /** The portal's own folder. */
  folder: string;
  /** The address it listens on. */
  host: string;
  /** 0 keeps the port of the last start where that is free. */
  port: number;
  /** PEM files of a certificate that others trust; without them the portal makes its own, for loopback alone. */
  certificateFiles?: CertificateFiles;
  /** A PostgreSQL server that other portals may share; without it the store is in the folder. */
  database?: Pick<PostgresOptions, "url" | "connections">;
  retentionDays: number;
  /** Of access tokens. */
  tokenLifetimeS: number;
  /** PEM file with the authorities of clients' certificates; without it none is asked for. */
  clientAuthoritiesFile?: string;
  clock: Clock;
  log: Logger;
  /** The store is broken for good: the process should end and be started again. */
  crash: (error: unknown) => void;
  /** Given by tests. */
  freeBytes?: FreeBytes;
}

export interface Portal {
  /** Such as https://127.0.0.1:8443; where it listens on all addresses, the one on loopback. */
  address: string;
  /** Deletes what is older than the retention, and indicators that are over; the portal does so itself, too. */
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
  const database = await openDatabase(options);
  const room = database.isShared ? () => undefined : () => assertRoom(folder, options.freeBytes ?? freeBytes);
  const store = new Store(database, room);
  const health = await openHealth(database, room, options);
  const intel = new IntelStore(database, room);
  const feed = new Feed(await store.lastCursor());
  const intake = new Intake(store, feed, clock);
  const failed = (error: unknown) => void judge(error, store, options);
  await store.follow((cursor) => feed.advance(cursor), failed);
  const accounts = await openAccounts({ ...options, database, room, failed });
  const content = openContent({ database, room, clock, failed });
  const vulnerabilities = openVulnerabilities({ database, room, clock, failed });
  const services = [
    accounts.service,
    content.service,
    registration(SensorService, sensorService({ ...health, intel, intake, clock, failed }), ["sensor"]),
    registration(QueryService, queryService(store, feed, clock), ["operator"]),
    registration(HealthService, healthService({ ...health, clock, failed }), HEALTH_CALLERS),
    registration(IntelService, intelService(intel, clock, failed), intelCallers),
    ...vulnerabilities.services,
    registration(InventoryService, inventoryService(new InventoryStore(database, room), failed), inventoryCallers),
  ];
  const server = await serveOnKeptPort(options, {
    ...accounts,
    services,
    routes: [accounts.route, content.route],
    failed,
  });
  const sweep = async () => {
    const deleted = await store.deleteReceivedBefore(clock() - options.retentionDays * MS_PER_DAY);
    if (deleted > 0) log.info("detections deleted, their time is over", { deleted, days: options.retentionDays });
    await health.sweep();
    await vulnerabilities.sweep(clock() - options.retentionDays * MS_PER_DAY);
    const expired = await intel.deleteExpired(clock());
    if (expired > 0) log.info("indicators deleted, their time is over", { expired });
    return deleted;
  };
  const housekeeping = (work: () => Promise<unknown>) => () =>
    void work().catch((error) => judge(error, store, options));
  const timers = [
    setInterval(housekeeping(sweep), SWEEP_INTERVAL_MS),
    setInterval(housekeeping(content.sweep), SWEEP_INTERVAL_MS),
    setInterval(
      housekeeping(() => store.maintain()),
      CHECKPOINT_INTERVAL_MS,
    ),
  ];
  housekeeping(sweep)();
  const address = `https://${isEveryAddress(options.host) ? "127.0.0.1" : bracketed(options.host)}:${server.port}`;
  writeFileAtomic(addressFile, `${address}\n`);
  return {
    address,
    sweep,
    async close() {
      for (const timer of timers) clearInterval(timer);
      rmSync(addressFile, { force: true });
      await server.close();
      await vulnerabilities.end();
      await intake.drain();
      await store.close();
      unlock();
    },
  };
}

/** A server keeps its own room; in the folder there must be some before anything is written. */
async function openDatabase({ folder, database, log, ...options }: PortalOptions): Promise<Database> {
  if (!database) {
    assertRoom(folder, options.freeBytes ?? freeBytes);
    return openStoreFolder(folder);
  }
  try {
    const opened = await openPostgres({ ...database, warn: (message, error) => log.warn(message, { error }) });
    await migrate(opened);
    return opened;
  } catch (error) {
    throw new PortalError("PORTAL_DATABASE", describeError(error));
  }
}

const isEveryAddress = (host: string): boolean => host === "0.0.0.0" || host === "::";
const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/**
 * A database that still answers has only refused a statement, e.g. on a full disk; one that does not is gone. A
 * server comes back by itself.
 */
async function judge(error: unknown, store: Store, { log, crash }: PortalOptions): Promise<void> {
  if (error instanceof PortalError) return log.error(error.message, { code: error.code });
  log.error("the store failed", { error: error instanceof Error ? error : String(error) });
  if (!store.isShared) await store.probe().catch(crash);
}

type Served = Pick<ServerOptions, "authenticate" | "services" | "routes" | "failed">;

async function serveOnKeptPort(options: PortalOptions, served: Served): Promise<RunningServer> {
  const { folder, host, clock, log, certificateFiles } = options;
  const credentials = await loadCredentials(folder, clock, certificateFiles);
  const authenticate: Authenticate = async (header) =>
    isAuthorized(header, credentials.token) ? localPrincipal : served.authenticate(header);
  const { clientAuthoritiesFile } = options;
  const clientAuthorities = clientAuthoritiesFile && readFileSync(clientAuthoritiesFile, "utf8");
  const serveOn = (port: number) => serve({ ...served, host, port, credentials, clientAuthorities, authenticate });
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
