// `run/supervisor.json`: who supervises this state folder and which processes are its stages.

import type { ProcessIdentity } from "@nightjar/stage";
import { readSmallFile, statePaths, writeFileAtomic } from "@nightjar/stage";

export interface StageRecord extends Partial<ProcessIdentity> {
  /** How often it was started again since the supervisor began. */
  restarts: number;
  /** How it ended the last time, such as "code 1" or "SIGKILL". */
  last_exit?: string;
}

export interface SupervisorRecord extends ProcessIdentity {
  version: string;
  started_at: string;
  stages: Record<string, StageRecord>;
}

/** Undefined where there is none or it is none of ours. */
export function readRecord(stateDir: string): SupervisorRecord | undefined {
  try {
    const record = JSON.parse(readSmallFile(statePaths.supervisor(stateDir)) ?? "");
    return typeof record.pid === "number" && typeof record.stages === "object" ? record : undefined;
  } catch {
    return undefined;
  }
}

export function writeRecord(stateDir: string, record: SupervisorRecord): void {
  writeFileAtomic(statePaths.supervisor(stateDir), `${JSON.stringify(record, null, 2)}\n`);
}
