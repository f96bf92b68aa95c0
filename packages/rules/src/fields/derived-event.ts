// The fields of events that are worked out from the messages: results, times, arguments, the file or socket acted on.

import { getOption } from "@bufbuild/protobuf";
import { callsOfEventType, callWords, EventSchema, eventTypes, evt_category, falco, OpenSchema } from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import type { Message } from "../engine/message.ts";
import { ARGUMENTS, allArguments, argumentGetter, eventsWithArgument, hasResult } from "./arguments.ts";
import type { Value } from "./definition.ts";
import {
  addressOf,
  clientEnd,
  descriptorName,
  descriptorNumber,
  descriptorType,
  fileName,
  hasConnection,
  isServer,
  localEnd,
  portOf,
  remoteEnd,
  serverEnd,
  socketFamily,
  transport,
  typeCharacter,
  WITH_DESCRIPTOR,
  WITH_ENDS,
  WITH_FILE,
  WITH_NUMBER,
} from "./descriptor.ts";
import { opensForReading, opensForWriting } from "./flags/open.ts";
import { basename, directoryName, pathPartOfDirectory, pathPartOfName } from "./path.ts";
import { EVERY_EVENT, eventsNamed, type ServedField } from "./served.ts";
import { dateText, isoText, timeText } from "./time.ts";
import { EINPROGRESS, errorName } from "./words.ts";

const EVENT = EventSchema.field;
const OPEN = OpenSchema.field;

const OPENS = eventsNamed("open");
const [CONNECT_TYPE] = eventsNamed("connect") as [number];
const WITH_RESULT = ARGUMENTS.filter(hasResult).map(({ type }) => type.id);

type Get = (view: EventView) => Value;

const firstCalls = new Map([...callsOfEventType].map(([type, calls]) => [type, calls[0]]));
/** An event whose call is not told is taken for the first of its type. */
const callOf = (view: EventView): string | undefined =>
  callWords.get(view.event.uint(EVENT.call.number)) ?? firstCalls.get(view.type);

/** Calls that move data, by which way. */
const DIRECTIONS = new Map([
  ...["read", "readv", "pread64", "preadv", "recv", "recvfrom", "recvmsg", "recvmmsg"].map((call) => [call, "read"]),
  ...["write", "writev", "pwrite64", "pwritev", "send", "sendto", "sendmsg", "sendmmsg", "first_write"].map((call) => [
    call,
    "write",
  ]),
] as [string, string][]);
const direction = (view: EventView): string | undefined => DIRECTIONS.get(callOf(view) ?? "");

const resultOf = (view: EventView): number => view.event.int(EVENT.result.number);
const DATA_TYPES = eventsNamed("send", "receive", "first_write");
/** Their result is how many messages there were. */
const OF_MANY_MESSAGES = new Set(["sendmmsg", "recvmmsg"]);

/** How many bytes a call moved, in a direction and through a kind of descriptor; undefined where it did not. */
const bytesMoved =
  (way: string | undefined, through: ReadonlySet<string> | undefined): Get =>
  (view) => {
    if (resultOf(view) < 0 || OF_MANY_MESSAGES.has(callOf(view) ?? "")) return undefined;
    if (way !== undefined && direction(view) !== way) return undefined;
    return through && !through.has(descriptorType(view) ?? "") ? undefined : resultOf(view);
  };

const WAYS = [
  ["", undefined],
  [".in", "read"],
  [".out", "write"],
] as const;
const MEDIA = [
  ["", undefined],
  [".file", new Set(["file"])],
  [".net", new Set(["ipv4", "ipv6"])],
] as const;

const resultName: Get = (view) => (resultOf(view) < 0 ? errorName(-resultOf(view)) : "SUCCESS");
const unixTimeOf = (view: EventView): bigint =>
  BigInt(view.event.uint64(EVENT.timeNs.number)) + view.batch.bootTimeUnixNs;

const categories: (string | undefined)[] = [];
for (const { id, field } of eventTypes)
  categories[id] = (field.message && getOption(field.message, evt_category)) || undefined;

const openFlags = (view: EventView): number => view.data.uint(OPEN.flags.number);

type End = (view: EventView) => Message;
const address =
  (end: End): Get =>
  (view) =>
    addressOf(end(view));
const port =
  (end: End): Get =>
  (view) =>
    portOf(end(view));
/** Falco compares a name with what it resolves to when the event is looked at; this is what was resolved before it. */
const names =
  (end: End): Get =>
  (view) => {
    const address = addressOf(end(view));
    if (!address) return undefined;
    const { event, batch } = view;
    const found = batch.namesOf(address, event.uint(EVENT.pid.number), event.uint64(EVENT.startTimeNs.number));
    return found.length > 1 ? found : found[0];
  };
const both = (of: (end: End) => Get): Get => {
  const [here, there] = [of(localEnd), of(remoteEnd)];
  return (view) => {
    const found = [here(view), there(view)].filter((value) => value !== undefined);
    return found.length > 0 ? found : undefined;
  };
};

const connected = (view: EventView): boolean =>
  view.type === CONNECT_TYPE ? resultOf(view) >= 0 || resultOf(view) === -EINPROGRESS : hasConnection(view);

/** A connect gives the descriptor its name; so does each message of a socket that has no connection. */
const nameChanged = (view: EventView): boolean =>
  view.type === CONNECT_TYPE ? connected(view) : !hasConnection(view) && addressOf(remoteEnd(view)) !== undefined;

const everywhere = (field: string, from: string, get: Get): ServedField => ({
  name: field,
  events: EVERY_EVENT,
  from,
  getter: () => get,
});
const always = (field: string, value: Value, why: string): ServedField => ({
  ...everywhere(field, `always ${String(value)}: ${why}`, () => value),
  valuesOn: () => [value],
});
const callsOn = (type: number): readonly Value[] => callsOfEventType.get(type) ?? [];
const where = (field: string, events: readonly number[], from: string, get: Get): ServedField => ({
  name: field,
  events,
  from,
  getter: () => get,
});

const ENDS: readonly (readonly [letter: string, from: string, end: End])[] = [
  ["c", "the descriptor's end that is not the server's", clientEnd],
  ["s", "the descriptor's local end where it is the server's, else its remote end", serverEnd],
  ["l", "the descriptor's local end", localEnd],
  ["r", "the descriptor's remote end", remoteEnd],
];

/** For each event type, the number of the field that is fd.dev. */
const deviceNumbers = new Map(
  eventTypes.flatMap(({ id, field }) => {
    const device = field.message?.fields.find((each) => getOption(each, falco).includes("fd.dev"));
    return device ? [[id, device.number] as const] : [];
  }),
);
// As device_number() in native-probe/bpf/descriptor.h makes it, which is stat(2)'s form.
const deviceMajor = (number: number): number => (number >>> 8) & 0xfff;
const deviceMinor = (number: number): number => (number & 0xff) | ((number >>> 12) & 0xfff00);
const DEVICES = [...deviceNumbers.keys()];
const device = (view: EventView): number => view.data.uint(deviceNumbers.get(view.type) ?? 0);

export const DERIVED_EVENT_FIELDS: readonly ServedField[] = [
  { ...everywhere("evt.type", "Event.call", callOf), valuesOn: callsOn },
  { ...everywhere("syscall.type", "Event.call", callOf), valuesOn: callsOn },
  everywhere("evt.num", "Event.position, plus one", (view) => view.position + 1),
  always("evt.dir", "<", "events are made when a call returns"),
  always("evt.source", "syscall", "no other source is read"),
  always("evt.is_async", false, "all events come from the kernel"),
  {
    ...everywhere("evt.category", "the event type", (view) => categories[view.type]),
    valuesOn: (eventType) => [categories[eventType]],
  },
  everywhere("evt.time", "Event.time_ns, in UTC", (view) => timeText(unixTimeOf(view))),
  everywhere("evt.time.s", "Event.time_ns, in UTC", (view) => timeText(unixTimeOf(view)).slice(0, 8)),
  everywhere("evt.time.iso8601", "Event.time_ns", (view) => isoText(unixTimeOf(view))),
  everywhere(
    "evt.datetime",
    "Event.time_ns, in UTC",
    (view) => `${dateText(unixTimeOf(view))} ${timeText(unixTimeOf(view))}`,
  ),
  everywhere(
    "evt.datetime.s",
    "Event.time_ns, in UTC",
    (view) => `${dateText(unixTimeOf(view))} ${timeText(unixTimeOf(view)).slice(0, 8)}`,
  ),
  everywhere("evt.rawtime", "Event.time_ns, since 1970", unixTimeOf),
  everywhere("evt.rawtime.s", "Event.time_ns, since 1970", (view) => Number(unixTimeOf(view) / 1_000_000_000n)),
  everywhere("evt.rawtime.ns", "Event.time_ns", (view) => Number(unixTimeOf(view) % 1_000_000_000n)),
  always("evt.count", 1, "each event is one"),
  everywhere("evt.io_dir", "Event.call", direction),
  everywhere("evt.is_io", "Event.call", (view) => direction(view) !== undefined),
  everywhere("evt.is_io_read", "Event.call", (view) => direction(view) === "read"),
  everywhere("evt.is_io_write", "Event.call", (view) => direction(view) === "write"),
  ...MEDIA.flatMap(([medium, through]) =>
    WAYS.map(([suffix, way]) =>
      where(`evt.buflen${medium}${suffix}`, DATA_TYPES, "Event.result, of one message", bytesMoved(way, through)),
    ),
  ),
  everywhere("evt.args", "the arguments of the event type", allArguments),
  everywhere("evt.info", "the arguments of the event type", allArguments),
  {
    ...everywhere("evt.arg", "the arguments of the event type, as text", () => undefined),
    getter: argumentGetter("text"),
    eventsFor: eventsWithArgument,
  },
  {
    ...everywhere("evt.rawarg", "the arguments of the event type, as they are", () => undefined),
    getter: argumentGetter("raw"),
    eventsFor: eventsWithArgument,
  },
  where("evt.res", WITH_RESULT, "Event.result", resultName),
  where("evt.rawres", WITH_RESULT, "Event.result", resultOf),
  where("evt.failed", WITH_RESULT, "Event.result", (view) => resultOf(view) < 0),
  where("evt.is_open_read", OPENS, "Open.flags", (view) => opensForReading(openFlags(view))),
  where("evt.is_open_write", OPENS, "Open.flags", (view) => opensForWriting(openFlags(view))),
  where("evt.is_open_exec", OPENS, "Open.created and Open.file_mode", ({ data }) => {
    return data.uint(OPEN.created.number) !== 0 && (data.uint(OPEN.fileMode.number) & 0o111) !== 0;
  }),
  where("fd.num", WITH_NUMBER, "fd, or Event.result of an open", descriptorNumber),
  where(
    "fd.name",
    WITH_DESCRIPTOR,
    "the descriptor's path, or both its ends; Open.requested of a failure",
    descriptorName,
  ),
  where("fd.type", WITH_DESCRIPTOR, "the descriptor's type and family", descriptorType),
  where("fd.typechar", WITH_DESCRIPTOR, "the descriptor's type and family", typeCharacter),
  {
    ...where("fd.directory", WITH_FILE, "the descriptor's path", (view) => directoryName(fileName(view))),
    within: { field: "fd.name", part: pathPartOfDirectory },
  },
  {
    ...where("fd.filename", WITH_FILE, "the descriptor's path", (view) => basename(fileName(view))),
    within: { field: "fd.name", part: pathPartOfName },
  },
  where("fd.dev.major", DEVICES, "fd.dev", (view) => deviceMajor(device(view))),
  where("fd.dev.minor", DEVICES, "fd.dev", (view) => deviceMinor(device(view))),
  where("fd.sockfamily", WITH_ENDS, "the descriptor's family", socketFamily),
  where("fd.l4proto", WITH_ENDS, "the descriptor's protocol, or its socket_type", transport),
  where("fd.connected", WITH_ENDS, "the descriptor's connected, or Event.result of a connect", connected),
  where("fd.name_changed", WITH_ENDS, "the descriptor's connected, or Event.result of a connect", nameChanged),
  where("fd.is_server", WITH_ENDS, "the descriptor's is_server", isServer),
  ...ENDS.flatMap(([letter, from, end]) => [
    where(`fd.${letter}ip`, WITH_ENDS, from, address(end)),
    where(`fd.${letter}net`, WITH_ENDS, from, address(end)),
    where(`fd.${letter}port`, WITH_ENDS, from, port(end)),
    where(`fd.${letter}ip.name`, WITH_ENDS, `Batch.address_names of ${from}`, names(end)),
  ]),
  where("fd.ip", WITH_ENDS, "both ends of the descriptor", both(address)),
  where("fd.net", WITH_ENDS, "both ends of the descriptor", both(address)),
  where("fd.port", WITH_ENDS, "both ends of the descriptor", both(port)),
];
