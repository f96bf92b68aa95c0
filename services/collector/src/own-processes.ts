// Which processes belong to the sensor: their opens and connects are no news, and would make more of them.
import { readFileSync } from "node:fs";
import type { OwnProcess } from "@nightjar/native-probe";
import type { StageStatus } from "@nightjar/proto";
import { identify, statePaths } from "@nightjar/stage";

/**
 * The stages that answer on the bus with what they started, and those the supervisor of this state folder started: the
 * embedded portal is not on the bus. Each with its start time, so that a later process of the same number is not one.
 */
export function ownProcesses(statuses: readonly StageStatus[], stateDir: string): OwnProcess[] {
  const pids = statuses.flatMap((status) => [status.pid, ...status.childPids]);
  return [...new Set([process.pid, ...pids, ...supervisedPids(stateDir)])].flatMap(ownProcess);
}

/** One process by its number; none where it has ended. */
export function ownProcess(pid: number): OwnProcess[] {
  const identity = identify(pid);
  return identity ? [{ pid, startTicks: BigInt(identity.start_ticks) }] : [];
}

function supervisedPids(stateDir: string): number[] {
  try {
    const record = JSON.parse(readFileSync(statePaths.supervisor(stateDir), "utf8"));
    const pids = [record.pid, ...Object.values(record.stages).map((one) => (one as { pid?: unknown }).pid)];
    return pids.filter((pid) => Number.isInteger(pid));
  } catch {
    return [];
  }
}
