// What a correlation is once it is read and its rules are found. Plain data: it goes from thread to thread.
import type { Place } from "../problem.ts";
import type { RuleExpression } from "./condition.ts";

/** The eight types of Sigma's specification 2.1. */
export type CorrelationType =
  | "event_count"
  | "value_count"
  | "temporal"
  | "temporal_ordered"
  | "value_sum"
  | "value_avg"
  | "value_percentile"
  | "value_median";

export type BoundOperator = "gt" | "gte" | "lt" | "lte" | "eq" | "neq";

export interface Bound {
  operator: BoundOperator;
  value: number;
}

/** A rule or correlation that it is about. */
export interface Reference {
  /** The name under which its matches come: of a rule its name, of a correlation its title. */
  name: string;
  /** How the correlation calls it: id or name; what its condition and aliases say. */
  label: string;
}

/** What two matches must have in common. */
export type Grouping =
  /** A field, which may have another name in each reference: in their order. */
  | { kind: "field"; name: string; fields: readonly string[] }
  /** The process that acted. */
  | { kind: "process" }
  /** The process that the first reference matched, and all its descendants from then on. */
  | { kind: "tree" };

export interface Correlation {
  /** The title: unique among rules and correlations. */
  name: string;
  description: string;
  /** Number in the enum Priority of detections: 1 is worst. */
  priority: number;
  tags: readonly string[];
  /** Where it stands, as "file:line", and with its column. */
  place: string;
  location: Place;
  type: CorrelationType;
  references: readonly Reference[];
  groupBy: readonly Grouping[];
  timespanUs: number;
  /** All of them must hold of the count, or of the value that the type works out. */
  bounds: readonly Bound[];
  /** Of temporal types, instead of a count: which of the references must have matched. */
  expression?: RuleExpression;
  /** What is counted or worked out, in each reference: in their order. Several fields count as one tuple. */
  fields: readonly (readonly string[])[];
  /** Which percentile, 0 to 100. */
  percentile: number;
  /** Whether its own firings go out; those of one that only others refer to do not. */
  alone: boolean;
}
