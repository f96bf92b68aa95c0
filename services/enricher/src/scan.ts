// Reads what the enricher needs of an encoded event without decoding the rest: its header, a fork's child, whom a
// setpgid is about.
import { FieldCursor, WIRE_BYTES, WireError } from "@nightjar/events";
import { EventSchema, ExecSchema, ForkSchema, SetGroupSchema, TargetSchema } from "@nightjar/proto";
import { isFollowed, withChange } from "./follow.ts";

const EVENT = EventSchema.field;
const POSITION = EVENT.position.number;
const TIME = EVENT.timeNs.number;
const PID = EVENT.pid.number;
const TID = EVENT.tid.number;
const START_TIME = EVENT.startTimeNs.number;
const PARENT_PID = EVENT.parentPid.number;
const PARENT_START_TIME = EVENT.parentStartTimeNs.number;
const UID = EVENT.uid.number;
const GID = EVENT.gid.number;
const NAME = EVENT.name.number;
const RESULT = EVENT.result.number;

const FORK = ForkSchema.field;
const CHILD_PID = FORK.childPid.number;
const CHILD_START_TIME = FORK.childStartTimeNs.number;
const CHILD_PARENT_PID = FORK.childParentPid.number;
const CHILD_PARENT_START_TIME = FORK.childParentStartTimeNs.number;
const TARGET = SetGroupSchema.field.target.number;
const TARGET_PID = TargetSchema.field.pid.number;
const TARGET_START_TIME = TargetSchema.field.startTimeNs.number;
const LOGIN_UID = ExecSchema.field.loginUid.number;
const SESSION_ID = ExecSchema.field.sessionId.number;
const CGROUP = ExecSchema.field.cgroup.number;
const MOUNT_NAMESPACE = ExecSchema.field.mountNamespace.number;
const PID_NAMESPACE = ExecSchema.field.pidNamespace.number;
const PROCESS_GROUP_ID = ExecSchema.field.processGroupId.number;

/** The event types that change the tree. */
export const TYPE_EXEC = EventSchema.field.exec.number;
export const TYPE_FORK = EventSchema.field.fork.number;
export const TYPE_EXIT = EventSchema.field.exit.number;
/** Of prctl the header tells all: the name that it may have changed. */
export const TYPE_PRCTL = EventSchema.field.prctl.number;
/** A file mapped to be executed. */
export const TYPE_LIBRARY = EventSchema.field.library.number;
export const TREE_TYPES: readonly number[] = [TYPE_EXEC, TYPE_FORK, TYPE_EXIT, TYPE_PRCTL];
/** The one of those in follow.ts that may be about another process than the actor. */
const TYPE_SET_GROUP = EventSchema.field.setGroup.number;

/** Event types are the fields from this number on. */
const TYPE_MIN = TYPE_EXEC;

/**
 * A moment on CLOCK_BOOTTIME in ns, exact, as two halves of 32 bits: a number would lose the last bits of a host that
 * is up for more than 104 days, and a bigint costs an allocation for each event.
 */
export interface Moment {
  low: number;
  high: number;
}

export const NANOSECONDS_PER_TICK = 10_000_000;

/** The moment in ns as a number: exact for 104 days of uptime, then to a few ns. */
export function toNanoseconds({ low, high }: Moment): number {
  return high * 0x1_0000_0000 + low;
}

/** The moment in clock ticks since boot, as /proc tells when a process began (USER_HZ is 100 where BPF runs). */
export function toTicks(moment: Moment): number {
  return Math.floor(toNanoseconds(moment) / NANOSECONDS_PER_TICK);
}

export function momentOf(nanoseconds: number | bigint): Moment {
  const value = BigInt(nanoseconds);
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) };
}

export function isSameMoment(left: Moment, right: Moment): boolean {
  return left.low === right.low && left.high === right.high;
}

/** The keys of an Exec at the sources of containers and of files. */
export interface ImageKeys {
  container: string;
  executable: string;
}

/** An event as far as the enricher looks. Offsets are into the batch's bytes; objects are used again by each batch. */
export class EventHeader {
  position = 0;
  /** Its number in Event's oneof; 0 if it has no data. */
  type = 0;
  pid = 0;
  tid = 0;
  parentPid = 0;
  uid = 0;
  gid = 0;
  /** The call returned a negative errno. */
  failed = false;
  readonly time: Moment = { low: 0, high: 0 };
  readonly start: Moment = { low: 0, high: 0 };
  readonly parentStart: Moment = { low: 0, high: 0 };
  nameStart = 0;
  nameEnd = 0;
  /** The contents of exec, fork, exit and so on. */
  dataStart = 0;
  dataEnd = 0;
  /** Of a fork. */
  childPid = 0;
  childParentPid = 0;
  readonly childStart: Moment = { low: 0, high: 0 };
  readonly childParentStart: Moment = { low: 0, high: 0 };
  /** Whose process group or session changed; 0 where it is the actor's, or of another type. */
  targetPid = 0;
  readonly targetStart: Moment = { low: 0, high: 0 };
  /** Of an exec whose context was asked for: what its container and its file go by. */
  keys: ImageKeys | undefined;

  reset(): void {
    this.keys = undefined;
    this.position = this.type = this.pid = this.tid = this.parentPid = this.uid = this.gid = this.targetPid = 0;
    this.failed = false;
    this.time.low = this.time.high = 0;
    this.start.low = this.start.high = 0;
    this.parentStart.low = this.parentStart.high = 0;
    this.nameStart = this.nameEnd = this.dataStart = this.dataEnd = 0;
  }

  resetFork(): void {
    this.childPid = this.childParentPid = 0;
    this.childStart.low = this.childStart.high = 0;
    this.childParentStart.low = this.childParentStart.high = 0;
  }
}

// The varint read last, and the offset behind it: results of `read`, kept here so that reading one allocates nothing.
let low = 0;
let high = 0;
let next = 0;

function read(bytes: Uint8Array, offset: number): void {
  let byte = bytes[offset] as number;
  next = offset + 1;
  low = byte & 0x7f;
  high = 0;
  for (let shift = 7; byte >= 0x80; shift += 7) {
    if (shift > 63 || next >= bytes.length) throw new WireError("a varint without an end", offset);
    byte = bytes[next++] as number;
    if (shift < 28) low |= (byte & 0x7f) << shift;
    else if (shift > 28) high |= (byte & 0x7f) << (shift - 32);
    else {
      low |= (byte & 0x7f) << 28;
      high = (byte & 0x7f) >> 4;
    }
  }
  low >>>= 0;
  high >>>= 0;
}

function take(moment: Moment): void {
  moment.low = low;
  moment.high = high;
}

/**
 * Reads the event whose contents are bytes[start, end) into `event`.
 * @throws WireError where it is no message, or a fork or an exec in it is none.
 */
export function scanEvent(bytes: Uint8Array, start: number, end: number, event: EventHeader): void {
  event.reset();
  let offset = start;
  while (offset < end) {
    read(bytes, offset);
    const tag = low;
    if (tag < 8) throw new WireError("field number 0", offset);
    offset = next;
    if ((tag & 7) === 0) {
      read(bytes, offset);
      offset = next;
      readVarintField(event, tag >>> 3);
    } else offset = readOtherField(bytes, offset, tag, event);
  }
  if (offset !== end) throw new WireError("a field runs over its event's end", start);
  if (event.type === TYPE_FORK) scanFork(bytes, event);
  else if (event.type === TYPE_EXEC) imageIdsOf(bytes, event.dataStart, event.dataEnd);
  else if (isFollowed(event.type)) {
    withChange(NO_IMAGE, event.type, bytes, event.dataStart, event.dataEnd);
    if (event.type === TYPE_SET_GROUP) scanTarget(bytes, event);
  }
}

function readVarintField(event: EventHeader, number: number): void {
  if (number === POSITION) event.position = high * 0x1_0000_0000 + low;
  else if (number === TIME) take(event.time);
  else if (number === PID) event.pid = low;
  else if (number === TID) event.tid = low;
  else if (number === START_TIME) take(event.start);
  else if (number === PARENT_PID) event.parentPid = low;
  else if (number === PARENT_START_TIME) take(event.parentStart);
  else if (number === UID) event.uid = low;
  else if (number === GID) event.gid = low;
  else if (number === RESULT) event.failed = high >>> 31 === 1;
}

function readOtherField(bytes: Uint8Array, offset: number, tag: number, event: EventHeader): number {
  const wireType = tag & 7;
  if (wireType === 1) return offset + 8;
  if (wireType === 5) return offset + 4;
  if (wireType !== WIRE_BYTES) throw new WireError(`wire type ${wireType}`, offset);
  read(bytes, offset);
  const start = next;
  const end = start + low;
  if (high !== 0 || end > bytes.length) throw new WireError("a field runs over its message's end", offset);
  const number = tag >>> 3;
  if (number === NAME) {
    event.nameStart = start;
    event.nameEnd = end;
  } else if (number >= TYPE_MIN) {
    event.type = number;
    event.dataStart = start;
    event.dataEnd = end;
  }
  return end;
}

const cursor = new FieldCursor();
const NO_IMAGE = new Uint8Array(0);

function scanTarget(bytes: Uint8Array, event: EventHeader): void {
  cursor.enter(bytes, event.dataStart, event.dataEnd);
  while (cursor.next()) {
    if (cursor.number !== TARGET || cursor.wireType !== WIRE_BYTES) continue;
    scanTargetMessage(cursor.enter(bytes, cursor.start, cursor.end), event);
    return;
  }
}

function scanTargetMessage({ bytes }: FieldCursor, event: EventHeader): void {
  while (cursor.next()) {
    if (cursor.wireType !== 0) continue;
    read(bytes, cursor.start);
    if (cursor.number === TARGET_PID) event.targetPid = low;
    else if (cursor.number === TARGET_START_TIME) take(event.targetStart);
  }
}

function scanFork(bytes: Uint8Array, event: EventHeader): void {
  event.resetFork();
  cursor.enter(bytes, event.dataStart, event.dataEnd);
  while (cursor.next()) {
    if (cursor.wireType !== 0) continue;
    read(bytes, cursor.start);
    if (cursor.number === CHILD_PID) event.childPid = low;
    else if (cursor.number === CHILD_START_TIME) take(event.childStart);
    else if (cursor.number === CHILD_PARENT_PID) event.childParentPid = low;
    else if (cursor.number === CHILD_PARENT_START_TIME) take(event.childParentStart);
  }
}

/** What the tree itself needs to know of an Exec; what is absent is 0. */
export interface ImageIds {
  loginUid: number;
  sessionId: number;
  processGroupId: number;
  mountNamespace: number;
  pidNamespace: number;
  /** Where in the bytes the cgroup's path stands; at 0 where it is absent. */
  cgroupStart: number;
  cgroupEnd: number;
}

const NO_IDS: ImageIds = {
  loginUid: 0,
  sessionId: 0,
  processGroupId: 0,
  mountNamespace: 0,
  pidNamespace: 0,
  cgroupStart: 0,
  cgroupEnd: 0,
};

/**
 * Of the encoded Exec in bytes[start, end).
 * @throws WireError where it is no message.
 */
export function imageIdsOf(bytes: Uint8Array, start: number, end: number): ImageIds {
  const ids: ImageIds = { ...NO_IDS };
  cursor.enter(bytes, start, end);
  while (cursor.next()) {
    if (cursor.number === CGROUP && cursor.wireType === WIRE_BYTES) {
      ids.cgroupStart = cursor.start;
      ids.cgroupEnd = cursor.end;
    }
    if (cursor.wireType !== 0) continue;
    if (cursor.number === LOGIN_UID) ids.loginUid = cursor.uint();
    else if (cursor.number === SESSION_ID) ids.sessionId = cursor.uint();
    else if (cursor.number === PROCESS_GROUP_ID) ids.processGroupId = cursor.uint();
    else if (cursor.number === MOUNT_NAMESPACE) ids.mountNamespace = cursor.uint();
    else if (cursor.number === PID_NAMESPACE) ids.pidNamespace = cursor.uint();
  }
  return ids;
}
