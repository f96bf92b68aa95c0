// The fields that Sigma's rules see and Falco's language has no name for, and terms for those it has.
import { eventTypes, ProcessSchema } from "@nightjar/proto";
import { findField } from "../fields/catalogue.ts";
import type { Field } from "../fields/definition.ts";
import { ownField } from "../fields/own-field.ts";
import { type Expression, type Term, writeSource } from "../language/expression.ts";

const PROCESS = ProcessSchema.field;

export function fieldTerm(field: Field): Term {
  return { kind: "field", field, type: field.type, list: false };
}

const eventTypeNames = new Map(eventTypes.map(({ id, name }) => [id, name]));

/** The event type's name: of each type it is known beforehand, so a test of it is decided when rules are compiled. */
const EVENT_TYPE: Field = {
  ...ownField("sigma.event_type", "string", "the event type", (view) => eventTypeNames.get(view.type)),
  valuesOn: (eventType) => [eventTypeNames.get(eventType)],
};

/** Whether an event is of that type. */
export function eventTypeIs(name: string): Expression {
  return { kind: "test", test: "equals", left: fieldTerm(EVENT_TYPE), operand: name, source: writeSource("=", [name]) };
}

/** What the options of the messages may name beside the catalogue's fields. */
export const OWN_FIELDS: ReadonlyMap<string, Field> = new Map(
  [
    ownField("sigma.ParentCommandLine", "string", "Exec.args of the parent", (view) => {
      return view.ancestor(1)?.image?.args.join(" ");
    }),
    ownField("sigma.ParentUser", "string", "Process.user_name of the parent", (view) => {
      return view.ancestor(1)?.message.text(PROCESS.userName.number);
    }),
  ].map((field) => [field.name, field]),
);

/** The term for a field as a rule of Falco's would write it, or for one of the fields above. */
export function termOf(written: string): Term {
  const own = OWN_FIELDS.get(written);
  if (own) return fieldTerm(own);
  const [, name = written, argument] = /^([^[]+)\[([^\]]*)\]$/.exec(written) ?? [];
  const found = findField(name, argument);
  if (!found) throw new Error(`no field of the catalogue: ${written}`);
  const { field } = found;
  // The values of an argument are one: of an ancestor, say.
  const list = field.several !== undefined && found.argument === undefined;
  const term = { kind: "field" as const, field, type: field.type, list };
  return found.argument === undefined ? term : { ...term, argument: found.argument };
}
