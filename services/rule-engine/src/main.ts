// The stage rule-engine: evaluates EVENTS on a pool of threads and puts what matched on DETECTIONS.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runStage, type Stage, statePaths } from "@nightjar/stage";
import type { DetectionGroup } from "./detections.ts";
import { evaluator } from "./evaluator.ts";
import { LiveRules } from "./live-rules.ts";
import { FiredPlace } from "./ordered/fired.ts";
import type { Note } from "./ordered/note.ts";
import { OrderedStage } from "./ordered/ordered-stage.ts";
import { ProcessedRanges } from "./processed.ts";

/** How long MATCHES keeps what no correlation needs longer. */
const MATCHES_KEPT_S = 3_600;
const FOLDER_MODE = 0o700;
const STARTER_RULES = fileURLToPath(new URL("../rules", import.meta.url));

await runStage("rule-engine", async (stage) => {
  const settings = stage.settings.rule_engine;
  const added = statePaths.rules(stage.stateDir);
  mkdirSync(added, { recursive: true, mode: FOLDER_MODE });
  const paths = [...(settings.rules.length > 0 ? settings.rules : [STARTER_RULES]), added];
  const processed = await ProcessedRanges.open(`${stage.folder}/processed`);
  stage.onStop(() => processed.close());
  const fired = await FiredPlace.open(`${stage.folder}/fired`);
  stage.onStop(() => fired.close());
  await stage.bus.connect();
  const rules = await LiveRules.start(stage, { paths, threads: settings.workers });
  stage.onStop(() => rules.close());
  stage.beforeStatus = () => {
    stage.counters.set("ranges", processed.ranges.count);
    stage.facts.set("processed", JSON.stringify(processed.ranges.toRecord()));
    stage.summary = `${rules.set.description.rules} rules, ${stage.counters.get("events")} events evaluated`;
  };
  const ordered = orderedStage(stage, fired);
  await ordered.rebuild(await stage.bus.readLog("MATCHES", MATCHES_KEPT_S), processed.ranges);
  const evaluate = evaluator({ stage, rules, processed, ordered });
  stage.bus.consume("EVENTS", evaluate, { inFlightMax: settings.in_flight_batches });
  rules.follow();
  stage.ready();
});

/** The ordered stage on this bus and disk. */
function orderedStage(stage: Stage, fired: FiredPlace): OrderedStage {
  const world = {
    note: ({ bytes, messageId }: Note) => stage.bus.publish("MATCHES", "nightjar.matches", bytes, messageId),
    publish: ({ subject, bytes, messageId }: DetectionGroup) =>
      stage.bus.publish("DETECTIONS", subject, bytes, messageId),
    fired,
    count: (detections: number) => stage.counters.add("ordered_detections", detections),
  };
  return new OrderedStage(world, []);
}
