// Fields beside the catalogue's: plain ones, of our own names, that every event has.
import type { Field, Getter } from "./definition.ts";
import type { ValueType } from "./known.ts";
import { EVERY_EVENT } from "./served.ts";

/** A field without an argument; its name is one that no field of Falco's has. */
export function ownField(name: string, type: ValueType, from: string, get: Getter): Field {
  return {
    name,
    type,
    argument: "none",
    dotted: false,
    filterOnly: false,
    printOnly: false,
    rightHand: true,
    transformable: true,
    deprecated: false,
    events: EVERY_EVENT,
    from,
    getter: () => get,
  };
}
