// Which calls an event type reports, read from the options of enum Call.
import { getOption, hasOption } from "@bufbuild/protobuf";
import { CallSchema } from "../gen/nightjar/event/v1/event_pb.ts";
import { event_type, word } from "../gen/nightjar/options/v1/options_pb.ts";
import { eventTypes } from "./event-types.ts";

const typeByName = new Map(eventTypes.map((type) => [type.name, type]));

function typeOf(name: string, call: string): number {
  const type = typeByName.get(name);
  if (!type) throw new Error(`${call} names the event type ${name}, which Event does not have`);
  return type.id;
}

const calls = CallSchema.values
  .filter((value) => hasOption(value, event_type))
  .map((value) => ({ type: typeOf(getOption(value, event_type), value.name), word: getOption(value, word) }));

/** For each event type's id, the words of the calls it reports, e.g. 35 → open, openat, openat2, creat. */
export const callsOfEventType: ReadonlyMap<number, readonly string[]> = new Map(
  eventTypes.map((type) => [type.id, calls.filter((call) => call.type === type.id).map((call) => call.word)]),
);
