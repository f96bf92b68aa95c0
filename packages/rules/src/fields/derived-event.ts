// The fields of events that are worked out from the messages: results, times, arguments, the file or socket acted on.
import {
  ConnectSchema,
  callsOfEventType,
  callWords,
  DescriptorType,
  DescriptorTypeSchema,
  EndpointSchema,
  EventSchema,
  ExecSchema,
  ExitSchema,
  ForkSchema,
  OpenSchema,
  wordsOf,
} from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import { Message } from "../engine/message.ts";
import { formatEndpoints } from "./address.ts";
import type { Value } from "./definition.ts";
import { basename, directoryName, joinPath } from "./path.ts";
import { EVERY_EVENT, eventsNamed, type ServedField } from "./served.ts";
import { dateText, isoText, timeText } from "./time.ts";
import { EINPROGRESS, errorName, openFlagNames, opensForReading, opensForWriting } from "./words.ts";

const EVENT = EventSchema.field;
const OPEN = OpenSchema.field;
const CONNECT = ConnectSchema.field;
const EXEC = ExecSchema.field;
const ENDPOINT = EndpointSchema.field;

const [OPEN_TYPE] = eventsNamed("open") as [number];
const FILES = eventsNamed("open");
const SOCKETS = eventsNamed("connect");
const FILES_AND_SOCKETS = [...FILES, ...SOCKETS];
const WITH_RESULT = eventsNamed("exec", "fork", "open", "connect");

type Get = (view: EventView) => Value;

const firstCalls = new Map([...callsOfEventType].map(([type, calls]) => [type, calls[0]]));
/** An event whose call is not told is taken for the first of its type. */
const callOf = (view: EventView): string | undefined =>
  callWords.get(view.event.uint(EVENT.call.number)) ?? firstCalls.get(view.type);

const resultOf = (view: EventView): number => view.event.int(EVENT.result.number);
const resultName: Get = (view) => (resultOf(view) < 0 ? errorName(-resultOf(view)) : "SUCCESS");
const unixTimeOf = (view: EventView): bigint =>
  BigInt(view.event.uint64(EVENT.timeNs.number)) + view.batch.bootTimeUnixNs;

const CATEGORIES = new Map([
  ...eventsNamed("exec", "fork", "exit").map((type) => [type, "process"] as const),
  ...FILES.map((type) => [type, "file"] as const),
  ...SOCKETS.map((type) => [type, "net"] as const),
]);

const openFlags = (view: EventView): number => view.data.uint(OPEN.flags.number);
const descriptorWords = wordsOf(DescriptorTypeSchema);
const TYPE_CHARACTERS = new Map([
  ["file", "f"],
  ["directory", "d"],
  ["ipv4", "4"],
  ["ipv6", "6"],
  ["unix", "u"],
  ["pipe", "p"],
]);

/** Works something out once for an event, however many fields are made of it. */
function once<T>(work: (view: EventView) => T): (view: EventView) => T {
  let last: EventView | undefined;
  let serial = -1;
  let value: T;
  return (view) => {
    if (view !== last || view.serial !== serial) {
      value = work(view);
      last = view;
      serial = view.serial;
    }
    return value;
  };
}

/** Of an open that failed nothing was resolved; the name asked for, made absolute, is what Falco gives then. */
const fileName = once((view) => {
  const path = view.data.text(OPEN.path.number);
  if (path !== undefined) return path;
  const requested = view.data.text(OPEN.requested.number);
  return requested && joinPath(view.image?.message.text(EXEC.workingDirectory.number), requested);
});

const local = new Message();
const remote = new Message();

function endpoint(view: EventView, message: Message, number: number): Message {
  message.load(view.batch.bytes, view.data.start(number), view.data.stop(number));
  return message;
}
const localEnd = once((view): Message => endpoint(view, local, CONNECT.local.number));
const remoteEnd = once((view): Message => endpoint(view, remote, CONNECT.remote.number));

const name: Get = (view) => {
  if (view.type === OPEN_TYPE) return fileName(view);
  return formatEndpoints(localEnd(view), remoteEnd(view), ENDPOINT);
};

const AF_UNIX = 1;
const FAMILIES = new Map([
  [AF_UNIX, "unix"],
  [2, "ipv4"],
  [10, "ipv6"],
]);
const PROTOCOLS = new Map([
  [6, "tcp"],
  [17, "udp"],
  [1, "icmp"],
  [58, "icmp"],
]);
const SOCKET_TYPES = new Map([
  [1, "tcp"],
  [2, "udp"],
  [3, "raw"],
]);

const family = (view: EventView): number => view.data.uint(CONNECT.family.number);

const type: Get = (view) => {
  if (view.type !== OPEN_TYPE) return FAMILIES.get(family(view)) ?? "unknown";
  // What failed to open has no type; Falco takes it for a file.
  return descriptorWords.get(view.data.uint(OPEN.type.number) || DescriptorType.FILE);
};

const transport: Get = (view) => {
  if (FAMILIES.get(family(view)) === "unix") return undefined;
  return (
    PROTOCOLS.get(view.data.uint(CONNECT.protocol.number)) ??
    SOCKET_TYPES.get(view.data.uint(CONNECT.socketType.number))
  );
};

const address =
  (end: (view: EventView) => Message): Get =>
  (view) =>
    end(view).view(ENDPOINT.address.number);
const port =
  (end: (view: EventView) => Message): Get =>
  (view) => {
    const found = end(view);
    return found.has(ENDPOINT.address.number) ? found.uint(ENDPOINT.port.number) : undefined;
  };
const both = (of: (end: (view: EventView) => Message) => Get): Get => {
  const [here, there] = [of(localEnd), of(remoteEnd)];
  return (view) => {
    const found = [here(view), there(view)].filter((value) => value !== undefined);
    return found.length > 0 ? found : undefined;
  };
};

const number: Get = (view) => {
  if (view.type === OPEN_TYPE) return resultOf(view) < 0 ? -1 : resultOf(view);
  return view.data.int(CONNECT.fd.number);
};

const connected = (view: EventView): boolean => resultOf(view) >= 0 || resultOf(view) === -EINPROGRESS;

/** The arguments of each event type in Falco's order: evt.arg.NAME, evt.arg[N], and all of them in evt.args. */
const ARGUMENTS = new Map<number, readonly (readonly [name: string, get: Get])[]>(
  (
    [
      [
        "exec",
        [
          ["res", resultName],
          ["exe", ({ image }) => image?.args[0]],
          ["args", ({ image }) => image?.args.slice(1).join(" ")],
          ["tid", ({ event }) => event.uint(EVENT.tid.number)],
          ["pid", ({ event }) => event.uint(EVENT.pid.number)],
          ["ptid", ({ event }) => event.uint(EVENT.parentPid.number)],
          ["cwd", ({ data }) => data.text(EXEC.workingDirectory.number)],
          ["comm", (view) => view.name],
          ["tty", ({ data }) => data.uint(EXEC.tty.number)],
          ["uid", ({ event }) => event.uint(EVENT.uid.number)],
          ["filename", ({ data }) => data.text(EXEC.filename.number)],
        ],
      ],
      ["fork", [["res", ({ data }) => data.uint(ForkSchema.field.childPid.number)]]],
      [
        "exit",
        [
          [
            "status",
            ({ data }) => (data.uint(ExitSchema.field.code.number) << 8) | data.uint(ExitSchema.field.signal.number),
          ],
          ["ret", ({ data }) => data.uint(ExitSchema.field.code.number)],
          ["sig", ({ data }) => data.uint(ExitSchema.field.signal.number)],
          ["core", ({ data }) => data.uint(ExitSchema.field.coreDumped.number) !== 0],
        ],
      ],
      [
        "open",
        [
          ["fd", number],
          ["dirfd", ({ data }) => data.int(OPEN.directoryFd.number)],
          ["name", ({ data }) => data.text(OPEN.requested.number)],
          ["flags", (view) => openFlagNames(openFlags(view))],
          ["mode", ({ data }) => `0${data.uint(OPEN.mode.number).toString(8)}`],
          ["dev", ({ data }) => data.uint(OPEN.device.number).toString(16)],
          ["ino", ({ data }) => data.uint64(OPEN.inode.number)],
        ],
      ],
      [
        "connect",
        [
          ["res", resultName],
          ["tuple", name],
          ["fd", number],
          ["addr", (view) => formatEndpoints(new Message(), remoteEnd(view), ENDPOINT)?.replace("->", "")],
        ],
      ],
    ] as [string, [string, Get][]][]
  ).map(([eventType, list]) => [eventsNamed(eventType)[0] as number, list]),
);

const argument: ServedField["getter"] = (wanted) => {
  if (wanted === undefined) return undefined;
  const index = /^[0-9]{1,2}$/.test(wanted) ? Number(wanted) : undefined;
  const byType = new Map<number, Get>();
  for (const [eventType, list] of ARGUMENTS) {
    const found = index === undefined ? list.find(([candidate]) => candidate === wanted) : list[index];
    if (found) byType.set(eventType, found[1]);
  }
  return (view) => {
    const value = byType.get(view.type)?.(view);
    return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" ? String(value) : value;
  };
};

const allArguments: Get = (view) => {
  const list = ARGUMENTS.get(view.type) ?? [];
  return list.map(([label, get]) => `${label}=${String(get(view) ?? "<NA>")}`).join(" ");
};

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

export const DERIVED_EVENT_FIELDS: readonly ServedField[] = [
  { ...everywhere("evt.type", "Event.call", callOf), valuesOn: callsOn },
  { ...everywhere("syscall.type", "Event.call", callOf), valuesOn: callsOn },
  everywhere("evt.num", "Event.position, plus one", (view) => view.position + 1),
  always("evt.dir", "<", "events are made when a call returns"),
  always("evt.source", "syscall", "no other source is read"),
  always("evt.is_async", false, "all events come from the kernel"),
  {
    ...everywhere("evt.category", "the event type", (view) => CATEGORIES.get(view.type)),
    valuesOn: (eventType) => [CATEGORIES.get(eventType)],
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
  everywhere("evt.args", "the fields of the event type", allArguments),
  everywhere("evt.info", "the fields of the event type", allArguments),
  { name: "evt.arg", events: EVERY_EVENT, from: "the fields of the event type", getter: argument },
  { name: "evt.rawarg", events: EVERY_EVENT, from: "the fields of the event type", getter: argument },
  where("evt.res", WITH_RESULT, "Event.result", resultName),
  where("evt.rawres", WITH_RESULT, "Event.result", resultOf),
  where("evt.failed", WITH_RESULT, "Event.result", (view) => resultOf(view) < 0),
  where("evt.is_open_read", FILES, "Open.flags", (view) => opensForReading(openFlags(view))),
  where("evt.is_open_write", FILES, "Open.flags", (view) => opensForWriting(openFlags(view))),
  where("evt.is_open_exec", FILES, "Open.created and Open.file_mode", ({ data }) => {
    return data.uint(OPEN.created.number) !== 0 && (data.uint(OPEN.fileMode.number) & 0o111) !== 0;
  }),
  where("fd.num", FILES_AND_SOCKETS, "Event.result, or Connect.fd", number),
  where("fd.name", FILES_AND_SOCKETS, "Open.path, or Open.requested where it failed; both ends of Connect", name),
  where("fd.type", FILES_AND_SOCKETS, "Open.type, or Connect.family", type),
  where("fd.typechar", FILES_AND_SOCKETS, "Open.type, or Connect.family", (view) =>
    TYPE_CHARACTERS.get(type(view) as string),
  ),
  where("fd.directory", FILES, "Open.path", (view) => directoryName(fileName(view))),
  where("fd.filename", FILES, "Open.path", (view) => basename(fileName(view))),
  where("fd.dev.major", FILES, "Open.device", ({ data }) => data.uint(OPEN.device.number) >>> 20),
  where("fd.dev.minor", FILES, "Open.device", ({ data }) => data.uint(OPEN.device.number) & 0xfffff),
  where("fd.sockfamily", SOCKETS, "Connect.family", (view) => (family(view) === AF_UNIX ? "unix" : "ip")),
  where("fd.l4proto", SOCKETS, "Connect.protocol, or Connect.socket_type", transport),
  where("fd.connected", SOCKETS, "Event.result", connected),
  where("fd.name_changed", SOCKETS, "Event.result", connected),
  where("fd.is_server", SOCKETS, "always false: who connects is the client", () => false),
  ...(["fd.sip", "fd.rip", "fd.snet", "fd.rnet"] as const).map((field) =>
    where(field, SOCKETS, "Connect.remote", address(remoteEnd)),
  ),
  ...(["fd.cip", "fd.lip", "fd.cnet", "fd.lnet"] as const).map((field) =>
    where(field, SOCKETS, "Connect.local", address(localEnd)),
  ),
  ...(["fd.sport", "fd.rport"] as const).map((field) => where(field, SOCKETS, "Connect.remote", port(remoteEnd))),
  ...(["fd.cport", "fd.lport"] as const).map((field) => where(field, SOCKETS, "Connect.local", port(localEnd))),
  ...(["fd.ip", "fd.net"] as const).map((field) =>
    where(field, SOCKETS, "Connect.local and Connect.remote", both(address)),
  ),
  where("fd.port", SOCKETS, "Connect.local and Connect.remote", both(port)),
  always("container.id", "host", "containers are not told apart yet"),
  always("container.name", "host", "containers are not told apart yet"),
  always("container.type", "host", "containers are not told apart yet"),
];
