// Which of the stages' counters `nightjar get-statistics` tells under which name: tables, a row a figure.

/** A counter of a stage by its name here, and what it is. */
export type Figure = readonly [name: string, stage: string, counter: string, doc: string];

/** What became of the events, in their order. */
export const TOTALS: readonly Figure[] = [
  ["published", "collector", "events_published", "events the collector has stored on the bus"],
  ["enriched", "enricher", "events_out", "events given on, with their process"],
  ["unwanted", "enricher", "events_filtered", "events that no rule wants"],
  ["processed", "rule-engine", "events", "events evaluated"],
  ["matches", "rule-engine", "matches", "rules that matched: suppressed, folded, or detections"],
  ["suppressed", "rule-engine", "matches_suppressed", "matches that a suppression hid"],
  ["folded", "rule-engine", "matches_folded", "matches that were counted in a detection before them"],
  ["detections", "rule-engine", "detections", "matches that went out as detections"],
  ["detections_sent", "uplink", "detections_sent", "detections the portal has stored"],
];

/** What became of the facts, and of the indicators that they showed. */
export const INDICATORS: readonly Figure[] = [
  ["facts_told", "enricher", "facts", "facts put on the bus"],
  ["facts_taken", "aggregator", "facts", "facts the aggregator has taken in"],
  ["messages_lost", "aggregator", "messages_lost", "messages of facts that had to make room"],
  ["indicators_shown", "aggregator", "indicators_shown", "times that a fact showed an indicator"],
  ["indicators_asked", "aggregator", "indicators_asked", "indicators that the uplink was asked for"],
  ["settled_here", "uplink", "indicators_settled", "of these, answered on this host"],
  ["answered", "uplink", "indicators_asked", "of these, answered by the portal"],
  ["listed", "uplink", "indicators_listed", "of these, on a list"],
  ["verdicts_malicious", "aggregator", "verdicts_malicious", "verdicts that say malicious"],
];

/** What stages keep, now, and how much of it had to go because there was too much. */
export const CACHES: readonly (readonly [name: string, stage: string, held: string, evicted: string])[] = [
  ["processes", "enricher", "processes", "processes_evicted"],
  ["containers", "enricher", "containers", "containers_evicted"],
  ["executables", "enricher", "executables", "executables_forgotten"],
  ["names of addresses", "enricher", "names_of_addresses", "names_evicted"],
  ["containers", "metadata", "containers", "containers_forgotten"],
  ["stories", "rule-engine", "stories", "stories_evicted"],
  ["correlation groups", "rule-engine", "correlation_groups", "correlation_given_up"],
  ["indicators", "aggregator", "indicators", "indicators_evicted"],
  ["look-ups", "uplink", "indicators_remembered", "indicators_forgotten"],
  ["outbox", "uplink", "outbox_detections", "detections_evicted"],
];

/** Which of a stage's counters is its work. */
export const WORK_COUNTERS: Readonly<Record<string, string>> = {
  collector: "events_published",
  metadata: "questions",
  enricher: "events_in",
  "rule-engine": "events",
  aggregator: "facts",
  uplink: "detections_in",
};
