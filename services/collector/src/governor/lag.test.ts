// The rules' lag: how old the last batch was while more waits, and how long a reader stands still.
import { create } from "@bufbuild/protobuf";
import { StageStatusSchema } from "@nightjar/proto";
import test from "ava";
import { LagMeter } from "./lag.ts";

const of = (stage: string, counters: Record<string, number>) =>
  create(StageStatusSchema, {
    stage,
    counters: Object.fromEntries(Object.entries(counters).map(([name, value]) => [name, BigInt(value)])),
  });
const waiting = (raw: number, events: number) => of("bus", { RAW_pending: raw, EVENTS_unacknowledged: events });

test("while nothing waits there is no lag, however old the last batch was", (t) => {
  const meter = new LagMeter();
  t.is(meter.look([waiting(0, 0), of("rule-engine", { batches: 1, lag_ms: 5_000 })], 0), 0);
  t.is(meter.look([waiting(0, 0), of("rule-engine", { batches: 1, lag_ms: 5_000 })], 60_000), 0);
});

test("while more waits it is how old the last batch was", (t) => {
  const meter = new LagMeter();
  meter.look([waiting(9, 9), of("enricher", { batches: 1 }), of("rule-engine", { batches: 1 })], 0);
  const rules = of("rule-engine", { batches: 2, lag_ms: 2_500 });
  t.is(meter.look([waiting(9, 9), of("enricher", { batches: 2 }), rules], 1_000), 2.5);
});

test("a reader that stands still or is gone lags more and more, until it goes on", (t) => {
  const meter = new LagMeter();
  const enricher = (batches: number) => of("enricher", { batches });
  meter.look([waiting(9, 9), enricher(1), of("rule-engine", { batches: 1 })], 0);
  t.is(meter.look([waiting(9, 9), enricher(2), of("rule-engine", { batches: 1 })], 4_000), 4);
  t.is(meter.look([waiting(9, 9), enricher(3)], 9_000), 9);
  t.is(meter.look([waiting(9, 9), enricher(4), of("rule-engine", { batches: 1 })], 10_000), 10);
  t.is(meter.look([waiting(9, 9), enricher(5), of("rule-engine", { batches: 2 })], 11_000), 0);
  t.is(meter.look([waiting(9, 0), enricher(5), of("rule-engine", { batches: 2 })], 13_000), 2, "nobody reads RAW");
});
