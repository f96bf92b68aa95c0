// What may leave in an hour, and what a heartbeat says when that is spent.
import { create } from "@bufbuild/protobuf";
import { HeartbeatRequestSchema } from "@nightjar/proto";
import test from "ava";
import { EgressBudget } from "./egress.ts";
import { leanHeartbeat } from "./heartbeat.ts";

const MINUTE_MS = 60_000;

test("an hour's bytes are there at the start, and fill evenly, never above an hour's", (t) => {
  let nowMs = 0;
  const budget = new EgressBudget({ bytesPerHour: 600, clock: () => nowMs });
  t.true(budget.take(600));
  t.false(budget.take(1));
  nowMs += MINUTE_MS;
  t.false(budget.take(11));
  t.true(budget.take(10));
  nowMs += 100 * 60 * MINUTE_MS;
  t.false(budget.take(601));
  t.true(budget.take(600));
});

test("a lean heartbeat still tells that the sensor lives, which stages work and what is wrong", (t) => {
  const healthIssues = [{ code: "STREAM_FULL", message: "full" }];
  const full = create(HeartbeatRequestSchema, {
    sensor: { id: "sensor-1" },
    intervalSeconds: 10,
    configuration: { settings: { "uplink.portal_url": "https://portal.test" } },
    stages: [{ stage: "enricher", ready: true, healthIssues, counters: { batches: 1n }, facts: { source: "a" } }],
  });
  const lean = leanHeartbeat(full);
  t.is(lean.sensor?.id, "sensor-1");
  t.is(lean.configuration, undefined);
  const [stage] = lean.stages;
  t.deepEqual([stage?.stage, stage?.ready, stage?.healthIssues[0]?.code], ["enricher", true, "STREAM_FULL"]);
  t.deepEqual([stage?.counters, stage?.facts], [{}, {}]);
  t.deepEqual(full.stages[0]?.counters, { batches: 1n }, "the full one stays as it is");
});
