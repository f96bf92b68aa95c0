// Ends a supervisor, which ends its stages in their order, and waits for it.
import { isAlive, type ProcessIdentity, pause } from "@nightjar/stage";

const LOOK_MS = 50;

/** Sends SIGTERM; rejects where it has not ended after `timeoutMs`. */
export async function endSupervisor(supervisor: ProcessIdentity, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  if (isAlive(supervisor)) process.kill(supervisor.pid, "SIGTERM");
  while (isAlive(supervisor)) {
    if (performance.now() > end) throw new Error(`pid ${supervisor.pid} has not ended after ${timeoutMs} ms`);
    await pause(LOOK_MS);
  }
}
