// Ends servers that an earlier bus left behind when it was killed: found by the configuration they run with.
import { readdirSync, readFileSync } from "node:fs";
import { pause } from "@nightjar/stage";

const TERM_MS_MAX = 5_000;
const KILL_MS_MAX = 5_000;
const LOOK_MS = 10;

/** A process that cannot be confused with a later one of the same pid. */
interface Identity {
  pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  startTicks: string;
}

/**
 * Ends every process that runs as `<program> -c <configuration>`: SIGTERM, then SIGKILL. The command line is the
 * evidence, not the pid file: a server killed while it started has none, and a pid may have been given to another.
 * Resolves with the pids that were ended.
 */
export async function endLeftovers(configuration: string): Promise<number[]> {
  const found = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && runsWith(pid, configuration))
    .flatMap((pid) => identify(pid) ?? []);
  await Promise.all(found.map(end));
  return found.map(({ pid }) => pid);
}

function runsWith(pid: number, configuration: string): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return args[1] === "-c" && args[2] === configuration;
  } catch {
    return false;
  }
}

/** Undefined when it is gone or only waits to be collected (state Z). */
function identify(pid: number): Identity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may contain anything; the fields after the last one are plain.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTicks] = [fields[0], fields[19]];
    return startTicks === undefined || state === "Z" ? undefined : { pid, startTicks };
  } catch {
    return undefined;
  }
}

async function end(leftover: Identity): Promise<void> {
  for (const [signal, wait_ms] of [
    ["SIGTERM", TERM_MS_MAX],
    ["SIGKILL", KILL_MS_MAX],
  ] as const) {
    if (!isAlive(leftover)) return;
    try {
      process.kill(leftover.pid, signal);
    } catch {
      // It ended in between, or is another user's: the look below tells.
    }
    for (const deadline = Date.now() + wait_ms; isAlive(leftover) && Date.now() < deadline; ) await pause(LOOK_MS);
  }
}

function isAlive(leftover: Identity): boolean {
  return identify(leftover.pid)?.startTicks === leftover.startTicks;
}
