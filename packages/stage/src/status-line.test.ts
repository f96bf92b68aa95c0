// The line tells rate, what waits, content and what is wrong, and nothing that is not known.
import test from "ava";
import { Counters } from "./counters.ts";
import { Health } from "./health.ts";
import type { FactName } from "./metrics.ts";
import { StatusLine } from "./status-line.ts";
import type { StageName } from "./streams.ts";

function stageNamed(name: StageName) {
  const log = { error: () => {}, info: () => {} };
  return {
    name,
    summary: "5 rules",
    counters: new Counters(),
    facts: new Map<FactName, string>(),
    health: new Health(name, log),
    beforeStatus: () => {},
  };
}

test("a rate is told from one look to the next", (t) => {
  let now = 0;
  const stage = stageNamed("rule-engine");
  const line = new StatusLine(stage, () => now);
  now += 2_000;
  stage.counters.add("events", 3_000);
  t.is(line.describe(), "5 rules; 1,500 events/s");
  now += 1_000;
  t.is(line.describe(), "5 rules; 0 events/s");
});

test("what waits, the content and the oldest issue are told", (t) => {
  const stage = stageNamed("uplink");
  const line = new StatusLine(stage, () => 0);
  t.is(line.describe(), "5 rules; 0 detections/s; nothing waits");
  stage.counters.set("outbox_detections", 7);
  stage.facts.set("content_bundle", "12");
  stage.facts.set("content_checked_at", "2026-01-02T03:04:05Z");
  stage.health.raise("PORTAL_UNREACHABLE", "comm error");
  t.is(
    line.describe(),
    "5 rules; 0 detections/s; outbox_detections 7; content 12 at 2026-01-02T03:04:05Z; PORTAL_UNREACHABLE: comm error",
  );
});

test("a stage without a row has its summary", (t) => {
  t.is(new StatusLine(stageNamed("metadata")).describe(), "5 rules");
});
