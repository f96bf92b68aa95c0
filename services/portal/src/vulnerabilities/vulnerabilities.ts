// What the portal knows of vulnerabilities, put together: stores, service, and the loop that makes findings.
import { AdvisoryService, FindingService } from "@nightjar/proto";
import type { Clock } from "../clock.ts";
import type { Database } from "../database.ts";
import { JUDGE_INTERVAL_MS, JUDGE_PAUSE_MS } from "../limits.ts";
import type { StoreFailure } from "../sensor-service.ts";
import { registration } from "../server.ts";
import { advisoryService } from "./advisory-service.ts";
import { AdvisoryStore } from "./advisory-store.ts";
import { findingService } from "./finding-service.ts";
import { deleteClosedBefore } from "./finding-store.ts";
import { judgeOne } from "./judge.ts";

export interface VulnerabilityOptions {
  database: Database;
  /** Throws when there is no room to write. */
  room: () => void;
  clock: Clock;
  failed: StoreFailure;
}

export function openVulnerabilities({ database, room, clock, failed }: VulnerabilityOptions) {
  let running: Promise<void> | undefined;
  let isEnding = false;
  let pausedUntilMs = 0;
  const judgeAll = async () => {
    try {
      // One after the other, so that what sensors send gets its turn in between.
      while (!isEnding && clock() >= pausedUntilMs && (await judgeOne(database, clock, room)));
    } catch (error) {
      pausedUntilMs = clock() + JUDGE_PAUSE_MS;
      failed(error);
    }
  };
  const timer = setInterval(() => {
    running ??= judgeAll().finally(() => (running = undefined));
  }, JUDGE_INTERVAL_MS);
  return {
    services: [
      registration(AdvisoryService, advisoryService(new AdvisoryStore(database, room), clock, failed), ["operator"]),
      registration(FindingService, findingService(database, failed), ["operator"]),
    ],
    /** Deletes findings that were closed before; returns how many. */
    sweep: (untilMs: number) => deleteClosedBefore(database, untilMs),
    /** Resolves when no finding is being made any more. */
    async end(): Promise<void> {
      isEnding = true;
      clearInterval(timer);
      await running;
    },
  };
}
