// What the catalogue says of a field, and the shapes its values have.
import type { EventView } from "../engine/event-view.ts";
import type { TextPart } from "../language/tests.ts";
import type { ValueType } from "./known.ts";

/**
 * A field's value. Undefined is a missing field: every comparison with it is false. Integers beyond 2^53 are bigints;
 * an IP address is its 4 or 16 bytes; bytes are a string of code points 0 to 255; several values are an array.
 */
export type Value = string | number | bigint | boolean | Uint8Array | undefined | readonly Value[];

/** Whatever a getter reads from: an EventView in the sensor, a plain record where fields are given flat. */
export type Getter<Source = EventView> = (source: Source) => Value;

/**
 * How a comparison goes over a field of several values: `any` wants one that fits; `pair` likewise, but with != all
 * must differ; `list` treats them as one set (in: all of them, intersects: one of them).
 */
export type Several = "any" | "pair" | "list";

/** Each value of a field is a part of another field's: one index serves both. */
export interface Within {
  field: string;
  /** What the other field's value holds where this one's holds the part; undefined where that cannot be said. */
  part: (part: TextPart) => TextPart | undefined;
}

export interface Field {
  name: string;
  type: ValueType;
  argument: "none" | "allowed" | "required";
  /** Its argument may also stand behind a dot: evt.arg.flags is evt.arg[flags]. */
  dotted: boolean;
  filterOnly: boolean;
  printOnly: boolean;
  /** May stand on the right-hand side, in val(). */
  rightHand: boolean;
  transformable: boolean;
  deprecated: boolean;
  several?: Several;
  /** Event types that have it, by id. Empty where it is not served. */
  events: readonly number[];
  /** The same for one argument, where it makes a difference. */
  eventsFor?: (argument: string | undefined) => readonly number[];
  /** All values it can have on events of a type, where they are few and known beforehand. */
  valuesOn?: (eventType: number) => readonly Value[];
  within?: Within;
  /** Where its values come from, or why there are none. */
  from: string;
  /** Makes the getter; undefined where the argument cannot be one. Not there where the field is not served. */
  getter?: (argument: string | undefined) => Getter | undefined;
}

let cacheKeys = 0;

/** A number no other getter uses in a cache. */
export function newCacheKey(): number {
  return cacheKeys++;
}
