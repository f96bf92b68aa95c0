// The stage rule-engine: evaluates EVENTS on a pool of threads and puts what matched on DETECTIONS.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { partPath } from "@nightjar/content";
import { RULE_PATHS_FACT, runStage, type Stage, statePaths } from "@nightjar/stage";
import { Activity } from "./activity.ts";
import { type BundleRules, Content } from "./content.ts";
import type { DetectionGroup } from "./detections.ts";
import { evaluator } from "./evaluator.ts";
import { LiveRules } from "./live-rules.ts";
import { Correlate, type CorrelationPlan } from "./ordered/correlate.ts";
import { FiredPlace } from "./ordered/fired.ts";
import type { Note } from "./ordered/note.ts";
import { OrderedStage } from "./ordered/ordered-stage.ts";
import type { Step } from "./ordered/step.ts";
import { ProcessedRanges } from "./processed.ts";
import { StoryIntake } from "./stories/intake.ts";

/** How long MATCHES keeps what no correlation needs longer. */
const MATCHES_KEPT_S = 600;
const FOLDER_MODE = 0o700;
const US_PER_S = 1_000_000;
const STARTER_RULES = fileURLToPath(new URL("../rules", import.meta.url));

await runStage("rule-engine", async (stage) => {
  const settings = stage.settings.rule_engine;
  const added = statePaths.rules(stage.stateDir);
  mkdirSync(added, { recursive: true, mode: FOLDER_MODE });
  const paths = settings.rules.length > 0 ? settings.rules : [STARTER_RULES];
  const content = new Content(stage);
  tellSources(stage, [...paths, ...bundleFolders(content.current), added], content.current.version);
  const processed = await ProcessedRanges.open(`${stage.folder}/processed`);
  stage.onStop(() => processed.close());
  const fired = await FiredPlace.open(`${stage.folder}/fired`);
  stage.onStop(() => fired.close());
  await stage.bus.connect();
  const { suppressions, workers: threads, rule_matching: ruleMatching } = settings;
  const bundle = () => content.current;
  const rules = await LiveRules.start(stage, { paths, bundle, added, suppressions, threads, ruleMatching });
  stage.onStop(() => rules.close());
  const correlate = new Correlate();
  const activity = new Activity();
  const stories = await StoryIntake.open(stage, processed, activity);
  stage.beforeStatus = () => {
    const { description } = rules.set;
    tellSources(stage, [...paths, ...bundleFolders(content.current), added], content.current.version);
    stage.counters.set("ranges", processed.ranges.count);
    tellCorrelation(stage, correlate);
    stage.counters.set("stories", stories.size);
    stage.counters.set("repeats_untold", stories.untold);
    stage.facts.set("processed", JSON.stringify(processed.ranges.toRecord()));
    const { rows, omitted } = activity.rules();
    stage.activity = {
      rules: rows,
      rulesOmitted: omitted,
      suppressions: activity.suppressions(description.suppressions),
    };
    stage.summary = `${description.rules} rules, ${stage.counters.get("events")} events evaluated`;
  };
  const { plan } = rules.set.description;
  correlate.replace(plan);
  const ordered = orderedStage(stage, fired, [correlate]);
  await ordered.rebuild(await stage.bus.readLog("MATCHES", keptS(plan)), processed.ranges);
  const evaluate = evaluator({ stage, rules, processed, ordered, correlate, stories, activity });
  stage.bus.consume("EVENTS", evaluate, { inFlightMax: settings.in_flight_batches });
  rules.follow();
  content.follow(rules);
  rules.beforeReplacing = (set) => stage.bus.keepLogs(keptS(set.description.plan));
  stage.ready();
});

/** Where the rules are read from, for those who look at them beside the engine. */
function tellSources({ facts }: Stage, paths: readonly string[], version: bigint): void {
  facts.set(RULE_PATHS_FACT, paths.map((path) => resolve(path)).join("\n"));
  facts.set("content_bundle", version === 0n ? "none" : String(version));
}

function bundleFolders({ folder, rules }: BundleRules): string[] {
  return folder !== undefined && rules.length > 0 ? [partPath(folder, "rules")] : [];
}

/** The ordered stage on this bus and disk. */
function orderedStage(stage: Stage, fired: FiredPlace, steps: readonly Step[]): OrderedStage {
  const world = {
    note: ({ bytes, messageId }: Note) => stage.bus.publish("MATCHES", "nightjar.matches", bytes, messageId),
    publish: ({ subject, bytes, messageId }: DetectionGroup) =>
      stage.bus.publish("DETECTIONS", subject, bytes, messageId),
    fired,
    count: (detections: number) => stage.counters.add("ordered_detections", detections),
  };
  return new OrderedStage(world, steps);
}

/** How long MATCHES has to keep matches, in seconds: stories, too, last as long as the timespan. */
function keptS({ correlations }: CorrelationPlan): number {
  return Math.max(MATCHES_KEPT_S, ...correlations.map(({ timespanUs }) => (2 * timespanUs) / US_PER_S));
}

/** Brings the counters of the correlations up to date, and says when one of their limits was met. */
function tellCorrelation({ counters, health }: Stage, correlate: Correlate): void {
  const { hits, size, repeats } = correlate;
  const givenUp = hits.groups + hits.matches + hits.evidence;
  if (givenUp > counters.get("correlation_given_up")) {
    const what = `${hits.groups} groups, ${hits.matches} matches, the evidence of ${hits.evidence} since the start`;
    health.raise("CORRELATION_LIMIT", `correlations had more than they may keep; given up: ${what}`);
  }
  counters.set("correlation_given_up", givenUp);
  counters.set("correlation_repeats", repeats);
  counters.set("correlation_groups", size.groups);
  counters.set("correlation_matches", size.matches);
}
