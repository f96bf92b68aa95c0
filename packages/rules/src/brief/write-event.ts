// How what rules say of events is written into a draft: results, the descriptor an event is about, and its ends.
import { DescriptorType, DescriptorTypeSchema, OpenSchema, wordsOf } from "@nightjar/proto";
import { parseAddress } from "../fields/address.ts";
import { basename } from "../fields/path.ts";
import { errorName } from "../fields/words.ts";
import type { Draft, Fields } from "./draft.ts";
import { endpointOf, wholeNumber } from "./inverse.ts";
import type { Given, Writer } from "./write-process.ts";

const utf8 = new TextEncoder();
const textOf = (given: Given): string => (typeof given === "string" ? given : given.join(" "));

const ERROR_NUMBER_MAX = 133;
const errorNumbers = new Map(Array.from({ length: ERROR_NUMBER_MAX }, (_, at) => [errorName(at + 1), at + 1] as const));

function resultOf(text: string): number | undefined {
  if (text === "SUCCESS") return 0;
  const error = errorNumbers.get(text);
  return error === undefined ? wholeNumber(text) : -error;
}

const setResult = (draft: Draft, result: number | undefined): boolean => {
  if (result === undefined) return false;
  draft.event.result = BigInt(result);
  return true;
};

const EPERM = 1;

/** What decides whether a call went well; written before all else, which goes elsewhere when it did not. */
export const RESULT_WRITERS: ReadonlyMap<string, Writer> = new Map<string, Writer>([
  ["evt.rawres", (draft, given) => setResult(draft, wholeNumber(textOf(given)))],
  ["evt.res", (draft, given) => setResult(draft, resultOf(textOf(given)))],
  ["evt.arg.res", (draft, given) => setResult(draft, resultOf(textOf(given)))],
  [
    "evt.failed",
    (draft, given) => {
      const text = textOf(given);
      if (text === "true") draft.event.result ??= BigInt(-EPERM);
      return text === "true" || text === "false";
    },
  ],
]);

const isOpen = ({ message }: Draft): boolean => message === OpenSchema;

const name: Writer = (draft, given) => {
  const text = textOf(given);
  const ends = /^(.*)->(.*)$/.exec(text);
  if (ends) return endsFrom(draft, ends[1] as string, ends[2] as string);
  const path = utf8.encode(text);
  if (isOpen(draft)) draft.data[draft.failed ? "absolute" : "path"] = path;
  else Object.assign(draft.descriptor, { path, name: utf8.encode(basename(text) as string) });
  return true;
};

/** "client->server", as fd.name has the ends of a socket. */
function endsFrom(draft: Draft, client: string, server: string): boolean {
  const [from, to] = [client, server].map((end) => (end === "" ? {} : endpointOf(end)));
  if (!from || !to) return false;
  Object.assign(endOf(draft, "client"), from);
  Object.assign(endOf(draft, "server"), to);
  return true;
}

type End = "client" | "server" | "local" | "remote";

function endOf(draft: Draft, end: End): Fields {
  const { descriptor } = draft;
  const isServer = descriptor.isServer === true;
  const key = end === "local" || end === "remote" ? end : (end === "server") === isServer ? "local" : "remote";
  descriptor[key] ??= {};
  return descriptor[key] as Fields;
}

const ENDS: readonly (readonly [letter: string, end: End])[] = [
  ["c", "client"],
  ["s", "server"],
  ["l", "local"],
  ["r", "remote"],
];

const endWriters = ENDS.flatMap(([letter, end]): [string, Writer][] => [
  [
    `fd.${letter}ip`,
    (draft, given) => {
      const address = parseAddress(textOf(given));
      if (address) endOf(draft, end).address = address;
      return address !== undefined;
    },
  ],
  [
    `fd.${letter}port`,
    (draft, given) => {
      const port = wholeNumber(textOf(given));
      if (port !== undefined) endOf(draft, end).port = port;
      return port !== undefined;
    },
  ],
]);

// Linux include/linux/socket.h, include/uapi/linux/in.h and include/linux/net.h.
const FAMILIES = new Map([
  ["unix", 1],
  ["ipv4", 2],
  ["ipv6", 10],
  ["netlink", 16],
]);
const TRANSPORTS = new Map([
  ["tcp", { socketType: 1, protocol: 6 }],
  ["udp", { socketType: 2, protocol: 17 }],
  ["icmp", { socketType: 3, protocol: 1 }],
  ["raw", { socketType: 3, protocol: 255 }],
]);
const types = new Map([...wordsOf(DescriptorTypeSchema)].reverse().map(([number, word]) => [word, number]));

const type: Writer = (draft, given) => {
  const text = textOf(given);
  const family = FAMILIES.get(text);
  if (family !== undefined) draft.descriptor.family = family;
  const number = types.get(text);
  if (number !== undefined) draft.descriptor.type = number;
  return family !== undefined || number !== undefined;
};

const isServer: Writer = (draft, given) => {
  draft.descriptor.isServer = textOf(given) === "true";
  return true;
};

/** Written before the ends, which they tell apart. */
export const SIDE_WRITERS: ReadonlyMap<string, Writer> = new Map([["fd.is_server", isServer]]);

/** Fields of events that no message has as they are, each with how it is written. */
export const EVENT_WRITERS: ReadonlyMap<string, Writer> = new Map<string, Writer>([
  ["fd.name", name],
  ["fd.type", type],
  [
    "fd.typechar",
    (draft, given) => {
      const [word] = TYPE_CHARACTERS.find(([, character]) => character === textOf(given)) ?? [];
      return word !== undefined && type(draft, word);
    },
  ],
  [
    "fd.num",
    (draft, given) => {
      const number = wholeNumber(textOf(given));
      if (number === undefined) return false;
      if (isOpen(draft)) return setResult(draft, number);
      draft.data.fd = number;
      return true;
    },
  ],
  [
    "fd.l4proto",
    (draft, given) => {
      const transport = TRANSPORTS.get(textOf(given));
      if (transport) Object.assign(draft.descriptor, transport);
      return transport !== undefined;
    },
  ],
  [
    "fd.connected",
    (draft, given) => {
      if (draft.message.fields.some(({ localName }) => localName === "descriptor"))
        draft.descriptor.connected = textOf(given) === "true";
      return true;
    },
  ],
  ["evt.is_open_read", (draft, given) => access(draft, given, O_RDONLY)],
  ["evt.is_open_write", (draft, given) => access(draft, given, O_WRONLY)],
  ...endWriters,
]);

const TYPE_CHARACTERS = [
  ["file", "f"],
  ["directory", "d"],
  ["ipv4", "4"],
  ["ipv6", "6"],
  ["unix", "u"],
  ["pipe", "p"],
] as const;

const O_RDONLY = 0n;
const O_WRONLY = 1n;
const O_RDWR = 2n;
const O_ACCMODE = 3n;

/** Opens that say how in no other way are for reading, for writing, or for both. */
function access(draft: Draft, given: Given, wanted: bigint): boolean {
  const text = textOf(given);
  if (!isOpen(draft) || (text !== "true" && text !== "false")) return false;
  const flags = draft.data.flags as bigint | undefined;
  const other = wanted === O_RDONLY ? O_WRONLY : O_RDONLY;
  if (flags === undefined) draft.data.flags = text === "true" ? wanted : other;
  else if (text === "true" && (flags & O_ACCMODE) !== wanted) draft.data.flags = (flags & ~O_ACCMODE) | O_RDWR;
  return true;
}

const IPV4_BYTES = 4;

/** Fills in what the probe tells of a descriptor beside what was said of it. */
export function completeDescriptor(draft: Draft): void {
  const { data } = draft;
  const holder = (data.descriptor as Fields | undefined) ?? data;
  const address = [holder.local, holder.remote].map((end) => (end as Fields | undefined)?.address).find(Boolean);
  if (address) {
    const isIpv4 = (address as Uint8Array).length === IPV4_BYTES;
    holder.family ??= FAMILIES.get(isIpv4 ? "ipv4" : "ipv6");
    if (holder !== data) holder.type ??= isIpv4 ? DescriptorType.IPV4 : DescriptorType.IPV6;
    holder.socketType ??= 1;
    holder.protocol ??= 6;
    if (holder !== data && holder.remote !== undefined) holder.connected ??= true;
  } else if (isOpen(draft) && !draft.failed) {
    data.type ??= DescriptorType.FILE;
    draft.event.result ??= FIRST_FREE_FD;
  } else if (holder !== data && holder.path !== undefined) holder.type ??= DescriptorType.FILE;
  if (isOpen(draft)) data.flags ??= O_RDONLY;
}

const FIRST_FREE_FD = 3n;
