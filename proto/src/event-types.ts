// The event types, read from the oneof in Event that carries them: a member's number is the type's id.
import { type DescField, getOption } from "@bufbuild/protobuf";
import { EventSchema } from "../gen/nightjar/event/v1/event_pb.ts";
import { event_types } from "../gen/nightjar/options/v1/options_pb.ts";

export interface EventType {
  /** Its number in the oneof, its id on the bus, in the kernel programs and in the ledger. */
  id: number;
  /** The oneof's member as `proto/`, files, logs and the ledger have it, e.g. "exec", "tcp_state". */
  name: string;
  /** The same as the generated code has it: the `case` of Event's `data`, e.g. "tcpState". */
  member: string;
  field: DescField;
}

const oneof = EventSchema.oneofs.find((candidate) => getOption(candidate, event_types));
if (!oneof) throw new Error("nightjar.event.v1.Event has no oneof marked event_types");

/** All event types, in the order of their ids. */
export const eventTypes: readonly EventType[] = oneof.fields
  .map((field) => ({ id: field.number, name: field.name, member: field.localName, field }))
  .sort((a, b) => a.id - b.id);

const byId = new Map(eventTypes.map((type) => [type.id, type.name]));

/** The name of an event type, or "type-N" for one this version does not know. */
export function eventTypeName(id: number): string {
  return byId.get(id) ?? `type-${id}`;
}
