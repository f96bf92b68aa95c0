// Ends servers that an earlier bus left behind when it was killed: found by the configuration they run with.
import { readdirSync, readFileSync } from "node:fs";
import { identify, isAlive, type ProcessIdentity, pause } from "@nightjar/stage";

const TERM_MS_MAX = 5_000;
const KILL_MS_MAX = 5_000;
const LOOK_MS = 10;

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

async function end(leftover: ProcessIdentity): Promise<void> {
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
