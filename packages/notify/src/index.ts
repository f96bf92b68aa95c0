// What a stage tells the service manager that started it (sd_notify(3)): ready, alive, how it is, that it ends.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const ADDON = "nightjar_notify.node";
const US_PER_MS = 1_000;

interface Addon {
  /** 0 or an errno. */
  send(path: string, message: string): number;
}

/** A service manager that listens. */
export interface ServiceManager {
  /** The stage has to be told alive at least so often, in milliseconds; undefined where nobody watches. */
  readonly watchdogMs: number | undefined;
  /** Sends assignments such as `{ READY: 1 }`; true when they were taken. */
  notify(assignments: Readonly<Record<string, string | number>>): boolean;
}

/** The service manager that the environment names, as it gave it to this process; undefined where there is none. */
export function findServiceManager(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): ServiceManager | undefined {
  const socket = env.NOTIFY_SOCKET;
  // Other forms, such as vsock, are for machines that tell their hosts.
  if (!socket || !(socket.startsWith("/") || socket.startsWith("@"))) return undefined;
  const addon: Addon = createRequire(import.meta.url)(addonPath());
  return {
    watchdogMs: watchdogOf(env, pid),
    notify(assignments) {
      // A line break would begin another assignment.
      const lines = Object.entries(assignments).map(
        ([name, value]) => `${name}=${String(value).replaceAll("\n", " ")}`,
      );
      return addon.send(socket, lines.join("\n")) === 0;
    },
  };
}

/** WATCHDOG_USEC counts for the process of WATCHDOG_PID alone (sd_watchdog_enabled(3)). */
function watchdogOf(env: Readonly<Record<string, string | undefined>>, pid: number): number | undefined {
  const us = Number(env.WATCHDOG_USEC);
  if (!Number.isSafeInteger(us) || us <= 0) return undefined;
  if (env.WATCHDOG_PID !== undefined && Number(env.WATCHDOG_PID) !== pid) return undefined;
  return us / US_PER_MS;
}

/** A bundle has the addon beside itself. */
function addonPath(): string {
  const beside = join(import.meta.dirname, ADDON);
  return existsSync(beside) ? beside : join(import.meta.dirname, "..", "build", ADDON);
}
