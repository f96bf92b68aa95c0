// Makes encoded batches for tests, from events and processes written briefly.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BatchReader } from "@nightjar/events";
import {
  BatchSchema,
  Call,
  type DescriptorSchema,
  DescriptorType,
  type EventSchema,
  type ExecSchema,
  type ProcessSchema,
} from "@nightjar/proto";
import { findField } from "../fields/catalogue.ts";
import type { Value } from "../fields/definition.ts";
import { EventView } from "./event-view.ts";

const utf8 = new TextEncoder();

export function bytes(text: string): Uint8Array {
  return utf8.encode(text);
}

export type EventInit = MessageInitShape<typeof EventSchema>;
export type DescriptorInit = MessageInitShape<typeof DescriptorSchema>;
type ProcessInit = MessageInitShape<typeof ProcessSchema>;
type ExecInit = Omit<MessageInitShape<typeof ExecSchema>, "$typeName" | "$unknown">;

/** A line of processes: the first is the actor, the others are its ancestors, each [name, arguments …]. */
export type Line = readonly (readonly [name: string, executable: string, ...args: string[]])[];

export function image(executable: string, args: readonly string[], rest: ExecInit = {}): ExecInit {
  return {
    executable: bytes(executable),
    filename: bytes(executable),
    args: args.map(bytes),
    workingDirectory: bytes("/root"),
    loginUid: 4294967295,
    ...rest,
  };
}

/** Rows for a batch's table: the first of the line is row 0, each is followed by its parent. */
export function processes(line: Line): ProcessInit[] {
  return line.map(([name, executable, ...args], at) => ({
    pid: 1000 - at,
    startTimeNs: BigInt(1000 - at),
    parent: at + 1 < line.length ? at + 2 : 0,
    name: bytes(name),
    image: image(executable, args),
    userName: "root",
  }));
}

const SHELL: Line = [
  ["bash", "/usr/bin/bash", "-bash"],
  ["sshd", "/usr/sbin/sshd", "sshd: root@pts/0"],
  ["sshd", "/usr/sbin/sshd", "/usr/sbin/sshd", "-D"],
  ["systemd", "/usr/lib/systemd/systemd", "/sbin/init"],
];

/** A batch of one event by the first of `line`, whose ancestors are the rest, or else a login shell. */
export function batchOf(event: EventInit, line: Line): Uint8Array {
  const rows = processes(line.length > 1 ? line : [...line, ...SHELL]);
  return encode([{ name: bytes(line[0]?.[0] ?? ""), ...event } as EventInit], rows, [1]);
}

/** An encoded batch; `actors` are rows plus one, as in the message. */
export function encode(events: EventInit[], rows: ProcessInit[], actors: number[]): Uint8Array {
  return toBinary(
    BatchSchema,
    create(BatchSchema, {
      bootId: new Uint8Array(16).fill(7),
      epoch: 9n,
      firstPosition: 1000n,
      nextPosition: 1000n + BigInt(events.length),
      bootTimeUnixNs: 1_700_000_000_000_000_000n,
      events: events.map((event, at) => {
        const defaults = { position: BigInt(1000 + at), timeNs: 5_000_000_000n, pid: 1000 };
        return { ...defaults, ...event } as EventInit;
      }),
      processes: rows,
      actors,
    }),
  );
}

/** An open of a file with these flags. */
export function open(path: string, flags: number): EventInit {
  const file = { path: bytes(path), requested: bytes(path), type: DescriptorType.FILE };
  return { call: Call.OPENAT, result: 3n, data: { case: "open", value: { ...file, flags: BigInt(flags) } } };
}

/** An exec; the actor of the batch should be the same. */
export function exec(executable: string, args: readonly string[], rest: ExecInit = {}): EventInit {
  return { call: Call.EXECVE, data: { case: "exec", value: image(executable, args, rest) } };
}

/** The first event of an encoded batch. */
export function firstEvent(batch: Uint8Array): EventView {
  const view = new EventView();
  view.open(new BatchReader(batch));
  view.select(0);
  return view;
}

/** The value that a field has there, written as rules write it: with its argument in brackets, if it takes one. */
export function readField(text: string, view: EventView): Value {
  const [, name = "", argument] = /^([^[]+)(?:\[(.*)\])?$/.exec(text) ?? [];
  const found = findField(name, argument);
  return found?.field.getter?.(found.argument)?.(view);
}
