// Deeds as events are made of them: what happened, who did it, and who was there before.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  BatchSchema,
  Call,
  type ContainerSchema,
  DescriptorType,
  type EventSchema,
  type ExecSchema,
} from "@nightjar/proto";
import { bytes, encode, exec, type Line, processes } from "@nightjar/rules/fixture";

export type EventInit = MessageInitShape<typeof EventSchema>;
type Actor = Line[number];

/** What happens, by whom; the ancestors behind, the parent first; and anything else that the actor's row says. */
export interface Deed {
  event: EventInit;
  line: Line;
  user?: string;
  /** Names of the users that the event's arguments speak of, by id. */
  users?: Readonly<Record<number, string>>;
  /** What an address of the event's was resolved from. */
  addressNames?: Readonly<Record<string, readonly string[]>>;
  /** The container that it is done in. */
  container?: ContainerInit;
  /** What else the actor's last exec said. */
  image?: MessageInitShape<typeof ExecSchema>;
}

export type ContainerInit = MessageInitShape<typeof ContainerSchema>;

/** The rule, a deed it speaks of, and one it does not. */
export type Case = readonly [rule: string, match: Deed, miss: Deed];

const SYSTEMD: Actor = ["systemd", "/usr/lib/systemd/systemd", "/sbin/init"];
export const BASH: Actor = ["bash", "/usr/bin/bash", "-bash"];
const SSHD: Actor = ["sshd", "/usr/sbin/sshd", "sshd: user@pts/0"];
const USER_ID = 1000;

/** A batch of one deed. Whoever has no ancestors works in a login shell. */
export function batchOfDeed(deed: Deed): Uint8Array {
  const { event, line, user = "alice", users = {}, addressNames = {}, container, image } = deed;
  const whole = line.length > 1 ? [...line, SYSTEMD] : [...line, BASH, SSHD, SYSTEMD];
  const [actor, ...rest] = processes(whole);
  if (!actor) throw new Error("a deed is done by somebody");
  const uid = user === "root" ? 0 : USER_ID;
  const named = { uid, parentPid: 999, name: bytes(line[0]?.[0] ?? ""), ...event } as EventInit;
  const first = { ...actor, image: { ...actor.image, ...image }, container: container ? 1 : 0, userName: user };
  const batch = encode([named], [first as typeof actor, ...rest], [1]);
  const names = Object.entries(users).map(([id, name]) => ({ id: Number(id), name }));
  const resolved = Object.entries(addressNames).map(([text, names]) => ({
    address: addressOf(text),
    names: [...names],
  }));
  const tables = create(BatchSchema, {
    users: names,
    addressNames: resolved,
    containers: container ? [container] : [],
  });
  return new Uint8Array([...batch, ...toBinary(BatchSchema, tables)]);
}

/** A program starts: its path, arguments with argv[0], and whatever else its record says. */
export function starts(
  path: string,
  args: readonly string[],
  rest: MessageInitShape<typeof ExecSchema> = {},
  ...ancestors: Actor[]
): Deed {
  const name = path.slice(path.lastIndexOf("/") + 1).slice(0, 15);
  return { event: exec(path, args, rest as Parameters<typeof exec>[2]), line: [[name, path, ...args], ...ancestors] };
}

/** A program with no arguments worth a word. */
export const program = (path: string): Actor => [path.slice(path.lastIndexOf("/") + 1).slice(0, 15), path, path];

/** `path` does something. */
export const by = (path: string, event: EventInit, ...ancestors: Actor[]): Deed => ({
  event,
  line: [program(path), ...ancestors],
});

export const O_WRITE = 0o1;
export const O_CREATE = 0o101;
export const O_TRUNCATE = 0o1001;

/** A file is opened; `rest` says what is special. */
export function opens(path: string, flags = 0, rest: object = {}, result = 3): EventInit {
  const { FILE } = DescriptorType;
  const resolved = result < 0 ? {} : { path: bytes(path), type: FILE };
  const value = { requested: bytes(path), directoryFd: -100, flags: BigInt(flags), ...resolved, ...rest };
  return { call: Call.OPENAT, result: BigInt(result), data: { case: "open", value } };
}

type Data = NonNullable<EventInit["data"]>;

/** A call that made an event of its own type. */
export const calls = (call: Call, data: Data, result = 0): EventInit => ({ call, result: BigInt(result), data });

const OWN = { address: new Uint8Array([192, 168, 1, 2]), port: 40000 };
const STREAM = 1;
const DATAGRAM = 2;
const AF_INET = 2;
const addressOf = (text: string) => Uint8Array.from(text.split("."), Number);
const end = (text: string, port: number) => ({ address: addressOf(text), port });

export function connects(address: string, port: number, socketType = STREAM, result = 0): EventInit {
  const value = { fd: 5, family: AF_INET, socketType, local: OWN, remote: end(address, port) };
  return { call: Call.CONNECT, result: BigInt(result), data: { case: "connect", value } };
}

export const connectsDatagrams = (address: string, port: number): EventInit => connects(address, port, DATAGRAM);

/** A datagram goes there through a socket that is not connected. */
export function sendsDatagram(address: string, port: number): EventInit {
  const ends = { local: OWN, remote: end(address, port) };
  const descriptor = { type: DescriptorType.IPV4, family: AF_INET, socketType: DATAGRAM, ...ends };
  return calls(Call.SENDTO, { case: "send", value: { fd: 5, descriptor } }, 8);
}

/** Data comes in on a connection. */
export function receives(data: readonly number[]): EventInit {
  const ends = { local: OWN, remote: end("203.0.113.9", 80), connected: true };
  const descriptor = { type: DescriptorType.IPV4, family: AF_INET, socketType: STREAM, ...ends };
  return calls(Call.RECVFROM, { case: "receive", value: { fd: 5, descriptor, data: Uint8Array.from(data) } }, 8);
}

/** A connection comes in from there. */
export function accepts(address: string, port: number): EventInit {
  const descriptor = {
    type: DescriptorType.IPV4,
    family: AF_INET,
    socketType: STREAM,
    local: { ...OWN, port: 80 },
    remote: end(address, port),
    isServer: true,
    connected: true,
  };
  return { call: Call.ACCEPT4, result: 6n, data: { case: "accept", value: { fd: 6, listeningFd: 3, descriptor } } };
}
