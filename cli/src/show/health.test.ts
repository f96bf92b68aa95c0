// Health as a person reads it: who, since when, why; and what an outage cost.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  HealthResolution,
  HealthSeverity,
  OutageSchema,
  SensorCondition,
  SensorStateSchema,
  StoredHealthIssueSchema,
  Visibility,
} from "@nightjar/proto";
import test from "ava";
import { Output } from "../output.ts";
import { issueJson, issueLine, outageLines, sensorTable } from "./health.ts";

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const MIN_MS = 60_000;
const at = (ms: number) => timestampFromMs(START_MS + ms);
const output = new Output({ stdout: {}, env: {} } as never, { json: false, color: "never" });

function stored(resolvedAtMs?: number) {
  const isOver = resolvedAtMs !== undefined;
  return create(StoredHealthIssueSchema, {
    ...{ sensorId: "s-1", hostName: "web-1" },
    issue: {
      ...{ id: "ab".repeat(16), code: "DISK_FULL", stage: "uplink", message: "full\u001b[2J", count: 1_200n },
      ...{ severity: HealthSeverity.ERROR, since: at(0), lastSeen: at(MIN_MS) },
      ...(isOver && { resolvedAt: at(resolvedAtMs), resolution: HealthResolution.STAGE_ENDED }),
    },
  });
}

test("an open issue: severity, code, host, stage, since when and for how long, how often, why", (t) => {
  t.is(
    issueLine(output, stored(), START_MS + 62 * MIN_MS),
    "ERROR   DISK_FULL  web-1 uplink  since 2026-01-02T03:04:05.000Z, 1 h 2 min, 1,200 times  full\\x1b[2J",
  );
});

test("one that is over: until when, and how it ended", (t) => {
  t.regex(
    issueLine(output, stored(MIN_MS), START_MS + 99 * MIN_MS),
    /since 2026-01-02T03:04:05.000Z until 2026-01-02T03:05:05.000Z \(stage_ended\), 1 min,/,
  );
  t.like(issueJson(stored(MIN_MS)), {
    ...{ type: "issue", state: "resolved", host: "web-1", severity: "error", resolution: "stage_ended", count: "1200" },
  });
  t.like(issueJson(stored()), { state: "open" });
});

test("an outage: unheard from when until when, what was kept, given up, dropped, not watched", (t) => {
  const outage = create(OutageSchema, {
    ...{ sensorId: "s-1", hostName: "web-1", from: at(0), until: at(25 * 60 * MIN_MS) },
    report: {
      ...{ reason: "dns error", detectionsKept: 7n, eventsDropped: { ring_full: 5n } },
      givenUp: { detections_stale: 3_000n, unheard_of: 1n },
      blind: [{ from: at(0), until: at(MIN_MS) }],
    },
  });
  t.deepEqual(outageLines(output, outage, START_MS), [
    "unheard from 2026-01-02T03:04:05.000Z until 2026-01-03T04:04:05.000Z, 1 d 1 h  web-1",
    "    because: dns error",
    "    7 detections kept, 3,000 detections deleted as stale, 1 unheard_of",
    "    events dropped: 5 ring_full",
    "    blind from 2026-01-02T03:04:05.000Z until 2026-01-02T03:05:05.000Z",
  ]);
});

test("one that goes on of a sensor that was stopped", (t) => {
  const outage = create(OutageSchema, { hostName: "web-1", from: at(0), wasStopped: true });
  t.deepEqual(outageLines(output, outage, START_MS + 59_999), [
    "stopped, unheard from 2026-01-02T03:04:05.000Z until now, 59 s  web-1",
  ]);
});

test("sensors: condition, how much they see, when they were heard last", (t) => {
  const sensor = { id: "s-1", hostName: "web-1", version: "0.1.0" };
  const told = { condition: SensorCondition.DISABLED, visibility: Visibility.REDUCED, lastSeen: at(0) };
  const [, row] = sensorTable([create(SensorStateSchema, { sensor, ...told })]);
  t.is(row, "disabled   web-1  reduced  2026-01-02T03:04:05.000Z  0.1.0    s-1");
});
