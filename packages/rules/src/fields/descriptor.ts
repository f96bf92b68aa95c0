// The descriptor an event is about: a field `descriptor`, both ends that stand in the message, or the file it tells of.
import { type DescMessage, getOption } from "@bufbuild/protobuf";
import {
  DescriptorSchema,
  DescriptorType,
  DescriptorTypeSchema,
  EndpointSchema,
  EventSchema,
  ExecSchema,
  eventTypes,
  falco,
  OpenSchema,
  wordsOf,
} from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import { Message } from "../engine/message.ts";
import { formatEnds } from "./address.ts";
import type { Value } from "./definition.ts";
import { once } from "./once.ts";
import { joinPath } from "./path.ts";
import { errorName } from "./words.ts";

const OPEN = OpenSchema.field;
const ENDPOINT = EndpointSchema.field;

type Part = keyof typeof DescriptorSchema.field;
/** The numbers of a descriptor's fields; 0, which no field has, where the message lacks one. */
type Numbers = Record<Part, number>;

interface Shape {
  /** Of the message's field that holds the descriptor; 0 where its fields are the message's own. */
  nested: number;
  numbers: Numbers;
  hasEnds: boolean;
  /** The message itself is about a file: its path is fd.name. */
  isFile: boolean;
}

const PARTS = Object.keys(DescriptorSchema.field) as Part[];
const OPEN_TYPE = eventTypes.find(({ name }) => name === "open")?.id ?? 0;

function shapeOf(message: DescMessage): Shape | undefined {
  const own = message.fields.find((field) => field.localName === "descriptor" && field.message === DescriptorSchema);
  const holder = own ? DescriptorSchema : message;
  const numbers = Object.fromEntries(
    PARTS.map((part) => [part, holder.fields.find(({ localName }) => localName === part)?.number ?? 0]),
  ) as Numbers;
  const hasEnds = numbers.local !== 0 && numbers.remote !== 0;
  const isFile = message.fields.some(
    (field) => field.number === numbers.path && getOption(field, falco).includes("fd.name"),
  );
  return own || hasEnds || isFile ? { nested: own?.number ?? 0, numbers, hasEnds, isFile } : undefined;
}

const shapes: (Shape | undefined)[] = [];
for (const { id, field } of eventTypes) if (field.message) shapes[id] = shapeOf(field.message);

const idsWhere = (wanted: (shape: Shape) => boolean): number[] =>
  eventTypes.map(({ id }) => id).filter((id) => shapes[id] && wanted(shapes[id]));

/** Event types that are about a descriptor; those where it can be a socket, and those where it can be a file. */
export const WITH_DESCRIPTOR: readonly number[] = idsWhere(() => true);
export const WITH_ENDS: readonly number[] = idsWhere(({ hasEnds }) => hasEnds);
export const WITH_FILE: readonly number[] = idsWhere(({ nested, hasEnds }) => nested !== 0 || !hasEnds);

const NONE: Shape = {
  nested: 0,
  numbers: Object.fromEntries(PARTS.map((part) => [part, 0])) as Numbers,
  hasEnds: false,
  isFile: false,
};
const shapeFor = (view: EventView): Shape => shapes[view.type] ?? NONE;

const nested = new Message();
const nestedDescriptor = once((view) => {
  const { nested: number } = shapeFor(view);
  nested.load(view.batch.bytes, view.data.start(number), view.data.stop(number));
  return nested;
});

const messageOf = (view: EventView): Message => (shapeFor(view).nested === 0 ? view.data : nestedDescriptor(view));
const numberIn = (view: EventView, part: Part): number => messageOf(view).uint(shapeFor(view).numbers[part]);

function endReader(part: "local" | "remote"): (view: EventView) => Message {
  const message = new Message();
  return once((view) => {
    const number = shapeFor(view).numbers[part];
    const holder = messageOf(view);
    message.load(view.batch.bytes, holder.start(number), holder.stop(number));
    return message;
  });
}
export const localEnd = endReader("local");
export const remoteEnd = endReader("remote");

export const isServer = (view: EventView): boolean => numberIn(view, "isServer") !== 0;
export const serverEnd = (view: EventView): Message => (isServer(view) ? localEnd(view) : remoteEnd(view));
export const clientEnd = (view: EventView): Message => (isServer(view) ? remoteEnd(view) : localEnd(view));

/** An end's address: 4 or 16 bytes. */
export const addressOf = (end: Message): Uint8Array | undefined => end.view(ENDPOINT.address.number);
/** An end's port; undefined where it has no address. */
export const portOf = (end: Message): number | undefined =>
  end.has(ENDPOINT.address.number) ? end.uint(ENDPOINT.port.number) : undefined;

const typeWords = wordsOf(DescriptorTypeSchema);
// Linux include/linux/socket.h, include/uapi/linux/in.h and include/linux/net.h.
const AF_UNIX = 1;
const FAMILIES = new Map([
  [AF_UNIX, "unix"],
  [2, "ipv4"],
  [10, "ipv6"],
  [16, "netlink"],
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
const CHARACTERS = new Map([
  ["file", "f"],
  ["directory", "d"],
  ["ipv4", "4"],
  ["ipv6", "6"],
  ["unix", "u"],
  ["netlink", "n"],
  ["pipe", "p"],
  ["event", "e"],
  ["eventpoll", "l"],
  ["inotify", "i"],
  ["signalfd", "s"],
  ["timerfd", "t"],
  ["bpf", "b"],
  ["userfaultfd", "u"],
  ["io_uring", "r"],
  ["memfd", "m"],
  ["pidfd", "P"],
]);
const CHARACTER_UNKNOWN = "o";
const INTERNET = new Set(["ipv4", "ipv6"]);

/** What kind of descriptor it is, by Falco's words; undefined where there is none. */
export function descriptorType(view: EventView): string | undefined {
  // What failed to open has no type; Falco takes it for a file.
  if (view.type === OPEN_TYPE) return typeWords.get(view.data.uint(OPEN.type.number) || DescriptorType.FILE);
  if (shapeFor(view).isFile) return typeWords.get(DescriptorType.FILE);
  const type = numberIn(view, "type");
  const family = numberIn(view, "family");
  if (family !== 0) return FAMILIES.get(family) ?? "unknown";
  return shapeFor(view).nested === 0 ? "unknown" : typeWords.get(type);
}

export function typeCharacter(view: EventView): string | undefined {
  const type = descriptorType(view);
  return type === undefined ? undefined : (CHARACTERS.get(type) ?? CHARACTER_UNKNOWN);
}

/** "unix" or "ip", of a socket. */
export function socketFamily(view: EventView): string | undefined {
  const type = descriptorType(view);
  if (type === "unix") return type;
  return type !== undefined && INTERNET.has(type) ? "ip" : undefined;
}

export function transport(view: EventView): string | undefined {
  if (socketFamily(view) !== "ip") return undefined;
  return PROTOCOLS.get(numberIn(view, "protocol")) ?? SOCKET_TYPES.get(numberIn(view, "socketType"));
}

/** Whether the socket has a remote end of its own. */
export const hasConnection = (view: EventView): boolean => numberIn(view, "connected") !== 0;

/** Stands for the working directory where a call takes a directory's descriptor (Linux include/uapi/linux/fcntl.h). */
export const AT_FDCWD = -100;

/**
 * A path as the process that acted means it: what is relative begins where it works, or at a directory it had open.
 * Of that one only the number is known, so such a path stays relative.
 */
export function absolutePath(view: EventView, path: string, directoryFd = AT_FDCWD): string {
  if (path.startsWith("/")) return joinPath(undefined, path);
  if (directoryFd !== AT_FDCWD) return path;
  return joinPath(view.image?.message.text(ExecSchema.field.workingDirectory.number), path);
}

/** Of an open that failed nothing was resolved; the name asked for, made absolute, is what Falco gives then. */
const openedName = once((view) => {
  const path = view.data.text(OPEN.path.number) ?? view.data.text(OPEN.absolute.number);
  if (path !== undefined) return path;
  const requested = view.data.text(OPEN.requested.number);
  return requested && absolutePath(view, requested, view.data.int(OPEN.directoryFd.number));
});

/** The path of a file, and of whatever else has a name. */
export function pathName(view: EventView): string | undefined {
  if (view.type === OPEN_TYPE) return openedName(view);
  const { path, name } = shapeFor(view).numbers;
  const message = messageOf(view);
  return message.text(path) ?? message.text(name);
}

/** fd.name: a path, or both ends, the client first; of a socket that only listens, its own. */
export const descriptorName = once((view): string | undefined => {
  if (view.type === OPEN_TYPE) return openedName(view);
  if (!shapeFor(view).hasEnds) return pathName(view);
  return formatEnds(clientEnd(view), serverEnd(view), isServer(view)) ?? pathName(view);
});

/** The directory and the last component of a path; undefined of what is no file. */
export function fileName(view: EventView): string | undefined {
  const type = descriptorType(view);
  return type === "file" || type === "directory" ? pathName(view) : undefined;
}

const resultNumber = EventSchema.field.result.number;
const fdNumbers: number[] = [];
for (const { id, field } of eventTypes)
  fdNumbers[id] = field.message?.fields.find(({ name }) => name === "fd")?.number ?? 0;

/** Event types that have a descriptor's number. */
export const WITH_NUMBER: readonly number[] = eventTypes
  .map(({ id }) => id)
  .filter((id) => id === OPEN_TYPE || fdNumbers[id] !== 0);

/** The descriptor's number; -1 where none could be opened. */
export function descriptorNumber(view: EventView): number {
  const number = fdNumbers[view.type] as number;
  return number === 0 ? Math.max(-1, view.event.int(resultNumber)) : view.data.int(number);
}

/**
 * A descriptor as an argument: "<f>/etc/hosts", "<4t>10.0.0.1:40000->10.0.0.2:443". The number alone where nothing is
 * known of it; the error where there is none.
 */
export function descriptorText(value: Value, view: EventView): string {
  const number = Number(value);
  const result = view.event.int(resultNumber);
  if (number < 0) return result < 0 ? errorName(-result) : String(number);
  const character = typeCharacter(view);
  if (character === undefined) return String(number);
  const name = descriptorName(view);
  const protocol = name !== undefined && socketFamily(view) === "ip" ? (transport(view)?.[0] ?? "") : "";
  return `<${character}${protocol}>${name ?? ""}`;
}
