// What the portal knows of its sensors' health, put together: stores, the bell for readers, housekeeping.
import type { Database } from "../database.ts";
import { Feed } from "../feed.ts";
import { SILENT_SENSOR_ISSUES_MS } from "../limits.ts";
import type { PortalOptions } from "../portal.ts";
import type { Callers } from "../principal.ts";
import { HealthStore } from "./issue-store.ts";
import { OutageStore } from "./outage-store.ts";

const MS_PER_DAY = 24 * 60 * 60 * 1_000;

export const HEALTH_CALLERS: Callers = {
  reportHealth: ["sensor"],
  listHealthIssues: ["operator"],
  streamHealthIssues: ["operator"],
  listOutages: ["operator"],
};

export async function openHealth(
  database: Database,
  assertRoom: () => void,
  { clock, log, retentionDays }: Pick<PortalOptions, "clock" | "log" | "retentionDays">,
) {
  const issues = new HealthStore(database, assertRoom);
  const outages = new OutageStore(database, assertRoom);
  const feed = new Feed(await issues.lastCursor());
  const sweep = async () => {
    const now = clock();
    feed.advance(await issues.endSilent(now - SILENT_SENSOR_ISSUES_MS, now));
    const until = now - retentionDays * MS_PER_DAY;
    const deleted = (await issues.deleteEndedBefore(until)) + (await outages.deleteEndedBefore(until));
    if (deleted > 0) log.info("health issues and outages deleted, their time is over", { deleted });
  };
  return { issues, outages, feed, sweep };
}
