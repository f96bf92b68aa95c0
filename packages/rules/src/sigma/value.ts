// What a detection item holds a field against, once its modifiers have been put to the values.
import type { Place } from "../problem.ts";
import type { Pattern } from "./text.ts";

/** The order a comparison asks for, as the tests of expressions are named. */
export type Order = "less" | "less-or-equal" | "greater" | "greater-or-equal";
/** A part of a time. */
export type TimePart = "minute" | "hour" | "day" | "week" | "month" | "year";

export type SigmaValue =
  | { kind: "string"; pattern: Pattern; cased: boolean }
  /** An integer is written in decimal; `text` is that form, or what stands in the file. */
  | { kind: "number"; number: number; text: string }
  | { kind: "boolean"; value: boolean }
  | { kind: "null" }
  | { kind: "regex"; expression: string; flags: ReadonlySet<RegexFlag> }
  | { kind: "network"; network: string }
  | { kind: "order"; order: Order; number: number; part?: TimePart }
  | { kind: "time"; part: TimePart; number: number }
  | { kind: "exists"; value: boolean }
  | { kind: "field"; name: string; how: "equals" | "starts-with" | "ends-with" | "contains"; cased: boolean }
  /** What a modifier made of one value: one of them is enough, under `all` too. */
  | { kind: "any"; values: readonly SigmaValue[] };

export type RegexFlag = "i" | "m" | "s";

/** A value with its place in the file. */
export interface PlacedValue {
  value: SigmaValue;
  place: Place;
}

/** A line of a detection: a field and what it may be, or keywords, which have no field. */
export interface Item {
  kind: "item";
  field?: string;
  values: readonly PlacedValue[];
  /** All values must fit, not one of them. */
  all: boolean;
  /** `neq`. */
  negated: boolean;
  place: Place;
}

/** A detection: lines that must all hold, or several of which one is enough. */
export type Detection = Item | { kind: "all" | "any"; parts: readonly Detection[]; place: Place };
