// Events and batches for tests, made with protobuf-es as the collector's encoder would make them.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Batch,
  BatchSchema,
  type DnsSchema,
  type Event,
  EventSchema,
  type ExecSchema,
  type Process,
} from "@nightjar/proto";
import { EventHeader, scanEvent } from "./scan.ts";
import type { UserNames } from "./users.ts";

export type EventInit = Exclude<MessageInitShape<typeof EventSchema>, Event>;

export const BOOT_ID = new Uint8Array(16).fill(0xab);
export const BOOT_ID_HEX = "ab".repeat(16);
export const EPOCH = 0x1234n;
const encoder = new TextEncoder();

export function text(value: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(value) as Uint8Array<ArrayBuffer>;
}

/** A process for tests: its pid and start, and what its events say in their header. */
export interface Actor {
  pid: number;
  start: bigint;
  parent?: Actor;
  name?: string;
  uid?: number;
}

let clock = 1_000_000_000n;

function header(actor: Actor): EventInit {
  clock += 1_000n;
  return {
    timeNs: clock,
    pid: actor.pid,
    tid: actor.pid,
    startTimeNs: actor.start,
    parentPid: actor.parent?.pid ?? 0,
    parentStartTimeNs: actor.parent?.start ?? 0n,
    uid: actor.uid ?? 0,
    gid: actor.uid ?? 0,
    name: text(actor.name ?? ""),
  };
}

/** What an Exec says beside what `exec` says of each. */
export type ExecInit = Omit<MessageInitShape<typeof ExecSchema>, "$typeName" | "$unknown">;

export function exec(actor: Actor, executable: string, loginUid = 1000, more: ExecInit = {}): EventInit {
  const value = { executable: text(executable), args: [text(executable), text("-x")], loginUid, ...more };
  return { ...header(actor), data: { case: "exec", value } };
}

export function fork(actor: Actor, child: Actor): EventInit {
  const value = {
    childPid: child.pid,
    childStartTimeNs: child.start,
    childParentPid: child.parent?.pid ?? 0,
    childParentStartTimeNs: child.parent?.start ?? 0n,
  };
  return { ...header(actor), data: { case: "fork", value } };
}

export function exit(actor: Actor): EventInit {
  return { ...header(actor), data: { case: "exit", value: { code: 0 } } };
}

export function open(actor: Actor, path = "/etc/hosts"): EventInit {
  return { ...header(actor), data: { case: "open", value: { path: text(path) } } };
}

export function dns(actor: Actor, value: MessageInitShape<typeof DnsSchema>): EventInit {
  return { ...header(actor), data: { case: "dns", value } };
}

export function connect(actor: Actor, address: Uint8Array, port: number): EventInit {
  const remote = { address: address as Uint8Array<ArrayBuffer>, port };
  return { ...header(actor), data: { case: "connect", value: { fd: 3, remote } } };
}

export function library(actor: Actor, path: string): EventInit {
  return { ...header(actor), data: { case: "library", value: { path: text(path) } } };
}

export const POSITION_STEP = 64;

/** The events as an encoded batch; each takes POSITION_STEP positions from `first` on. */
export function batchOf(events: readonly EventInit[], first = 0): Uint8Array {
  return encodeBatch({
    firstPosition: BigInt(first),
    nextPosition: BigInt(first + events.length * POSITION_STEP),
    events: events.map((event, index) => ({ ...event, position: BigInt(first + index * POSITION_STEP) })),
  });
}

export function encodeBatch(init: MessageInitShape<typeof BatchSchema>): Uint8Array {
  return toBinary(BatchSchema, create(BatchSchema, { bootId: BOOT_ID, epoch: EPOCH, bootTimeUnixNs: 1n, ...init }));
}

/** The event as the enricher scans it, with the bytes it was scanned from. */
export function scanned(init: EventInit): [EventHeader, Uint8Array] {
  const bytes = toBinary(EventSchema, create(EventSchema, init));
  const event = new EventHeader();
  scanEvent(bytes, 0, bytes.length, event);
  return [event, bytes];
}

/** The line of a decoded batch's event: who acted, then its ancestors. */
export function lineOf(batch: Batch, event: number): Process[] {
  const line: Process[] = [];
  let index = batch.actors[event] ?? 0;
  while (index > 0 && line.length <= batch.processes.length) {
    const process = batch.processes[index - 1] as Process;
    line.push(process);
    index = process.parent;
  }
  return line;
}

/** "name(pid)" of a line, the actor first. */
export function describeLine(line: readonly Process[]): string {
  return line.map(({ name, pid }) => `${Buffer.from(name).toString()}(${pid})`).join(" < ");
}

export const testUsers: UserNames = {
  generation: 1,
  user: (uid) => text(uid === 0xffff_ffff ? "" : `user-${uid}`),
  group: (gid) => text(gid === 0xffff_ffff ? "" : `group-${gid}`),
  of: () => testUsers,
};
