// The words of correlation documents, as tables.
import { PrioritySchema, wordsOf } from "@nightjar/proto";
import { PRIORITY_OF_LEVEL } from "../sigma/levels.ts";
import type { CorrelationType, Grouping } from "./correlation.ts";

export const TYPES: readonly CorrelationType[] = [
  "event_count",
  "value_count",
  "temporal",
  "temporal_ordered",
  "value_sum",
  "value_avg",
  "value_percentile",
  "value_median",
];

const DAY_S = 24 * 3_600;

/** Seconds of each unit of a timespan. */
export const UNITS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3_600],
  ["d", DAY_S],
  ["w", 7 * DAY_S],
  ["M", 30 * DAY_S],
  ["y", 365 * DAY_S],
]);

/** Sigma's levels and Falco's priorities, in small letters. */
export const PRIORITIES: ReadonlyMap<string, number> = new Map([
  ...[...wordsOf(PrioritySchema)].map(([priority, word]) => [word.toLowerCase(), priority] as const),
  ...PRIORITY_OF_LEVEL,
]);

/** What our own rules may group by beside fields; a text is the field it stands for, undefined groups all together. */
export const GROUPINGS: ReadonlyMap<string, string | Exclude<Grouping, { kind: "field" }> | undefined> = new Map<
  string,
  string | Exclude<Grouping, { kind: "field" }> | undefined
>([
  ["same process", { kind: "process" }],
  ["descendant of", { kind: "tree" }],
  ["same user", "user.uid"],
  ["same container", "container.id"],
  ["same host", undefined],
]);
