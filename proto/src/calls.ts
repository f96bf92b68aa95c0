// Which calls an event type reports, read from the options of enum Call.
import { getOption } from "@bufbuild/protobuf";
import { CallSchema } from "../gen/nightjar/event/v1/call_pb.ts";
import { event_type, watched_by } from "../gen/nightjar/options/v1/options_pb.ts";
import { eventTypes } from "./event-types.ts";
import { callWordOf } from "./words.ts";

const typeByName = new Map(eventTypes.map((type) => [type.name, type]));

function typeOf(name: string, call: string): number {
  const type = typeByName.get(name);
  if (!type) throw new Error(`${call} names the event type ${name}, which Event does not have`);
  return type.id;
}

export interface ReportedCall {
  /** Its number in enum Call. */
  call: number;
  /** As Falco and strace name it, e.g. "openat". */
  word: string;
  /** The id of an event type that reports it. */
  type: number;
}

function rowsOf(option: typeof event_type): ReportedCall[] {
  return CallSchema.values.flatMap((value) =>
    getOption(value, option).map((name) => ({
      call: value.number,
      word: callWordOf(value),
      type: typeOf(name, value.name),
    })),
  );
}

/** The calls, one row for each event type that reports one, in the order of their numbers. */
export const reportedCalls: readonly ReportedCall[] = rowsOf(event_type);

/** The same, and behind them a row for each event type that only looks at one, e.g. sendto → dns. */
export const handledCalls: readonly ReportedCall[] = [...reportedCalls, ...rowsOf(watched_by)];

/** For each number of enum Call, its word. */
export const callWords: ReadonlyMap<number, string> = new Map(reportedCalls.map(({ call, word }) => [call, word]));

/** For each event type's id, the words of the calls it reports, e.g. 35 → open, openat, openat2, creat. */
export const callsOfEventType: ReadonlyMap<number, readonly string[]> = new Map(
  eventTypes.map((type) => [type.id, reportedCalls.filter((call) => call.type === type.id).map((call) => call.word)]),
);
