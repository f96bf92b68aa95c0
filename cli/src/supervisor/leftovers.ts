// Ends the stages that a supervisor left behind when it was killed.
import { isAlive, type ProcessIdentity, pause } from "@nightjar/stage";
import type { SupervisorRecord } from "./record.ts";

// They end by themselves when their standard input closes; this is what they get before they are told.
type Step = readonly [signal: NodeJS.Signals | undefined, waitMs: number];
const STEPS: readonly Step[] = [
  [undefined, 1_000],
  ["SIGTERM", 8_000],
  ["SIGKILL", 2_000],
];
const LOOK_MS = 20;

/** Resolves with the names of the stages that were still there. */
export async function endLeftovers(record: SupervisorRecord | undefined, steps = STEPS): Promise<string[]> {
  const left = Object.entries(record?.stages ?? {}).flatMap(([name, { pid, start_ticks }]) =>
    pid !== undefined && start_ticks !== undefined && isAlive({ pid, start_ticks }) ? [{ name, pid, start_ticks }] : [],
  );
  for (const [signal, waitMs] of steps) {
    const alive = left.filter(isAlive);
    if (signal) for (const one of alive) send(one, signal);
    for (const end = Date.now() + waitMs; alive.some(isAlive) && Date.now() < end; ) await pause(LOOK_MS);
  }
  return left.map(({ name }) => name);
}

function send({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}
