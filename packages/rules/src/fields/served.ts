// The shape of a row in the tables of fields that are worked out from the messages.
import { eventTypes } from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import type { Value, Within } from "./definition.ts";
import type { ValueType } from "./known.ts";

export interface ServedField {
  /** The name by which the rule language knows it; its type stands in the table of known fields. */
  name: string;
  /** Of a field of our own, which that table does not know. */
  type?: ValueType;
  /** Ids of the event types that have it. */
  events: readonly number[];
  /** Which fields of the messages it is worked out from, for the reference. */
  from: string;
  /** Ids of the event types that have it for an argument; where it is not there, for every argument those above. */
  eventsFor?: (argument: string | undefined) => readonly number[];
  /** All values it can have on events of a type, where they are few and known: such tests are decided early. */
  valuesOn?: (eventType: number) => readonly Value[];
  within?: Within;
  /** Makes the getter for an argument; undefined where the argument cannot be one. */
  getter: (argument: string | undefined) => ((view: EventView) => Value) | undefined;
}

export const EVERY_EVENT: readonly number[] = eventTypes.map((type) => type.id);

/** The ids of event types by their names. */
export function eventsNamed(...names: string[]): number[] {
  return eventTypes.filter((type) => names.includes(type.name)).map((type) => type.id);
}
