// One process of the tree, and how it is written as a row of a batch's table of processes.
import { tagOf, varintSize, WIRE_BYTES, WIRE_VARINT, writeVarint } from "@nightjar/events";
import { type ProcessOrigin, ProcessSchema, ProcessState } from "@nightjar/proto";
import { find, lookUp } from "./context/find.ts";
import type { Row } from "./context/row.ts";
import type { Context, ImageSource } from "./context/source.ts";
import { UNIT_FIELDS_BYTES_MAX, unitFieldsOf } from "./context/systemd-unit.ts";
import { type EventHeader, type ImageKeys, imageIdsOf, type Moment } from "./scan.ts";
import { ID_UNKNOWN, type UserNames } from "./users.ts";

const PROCESS = ProcessSchema.field;
const IMAGE_TAG = tagOf(PROCESS.image.number, WIRE_BYTES);

/**
 * Bytes as a text of as many characters, 0 to 255. V8 keeps such a text in one piece with a byte for each, where a
 * typed array takes 300 bytes beside its contents: of 100,000 processes with three of them that was half the memory.
 */
export type Latin1 = string;

export function latin1Of(bytes: Uint8Array, start = 0, end = bytes.length): Latin1 {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** What a process is since its last exec; shared by those that only forked since. */
export class Image {
  readonly loginUid: number;
  readonly sessionId: number;
  readonly processGroupId: number;
  readonly mountNamespace: number;
  readonly pidNamespace: number;
  /** Fields of a Process row that follow from its cgroup. */
  readonly units: Latin1;
  /** How many nodes of the tree have it. */
  references = 0;
  /** The encoded Exec: a copy of its own, never a view on a message. */
  readonly #exec: Latin1;
  #container: Row | undefined;
  #executable: Row | undefined;

  /**
   * Copies the encoded Exec in bytes[start, end).
   * @throws WireError where it is none.
   */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#exec = latin1Of(bytes, start, end);
    const ids = imageIdsOf(bytes, start, end);
    this.loginUid = ids.loginUid;
    this.sessionId = ids.sessionId;
    this.processGroupId = ids.processGroupId;
    this.mountNamespace = ids.mountNamespace;
    this.pidNamespace = ids.pidNamespace;
    this.units = unitFieldsOf(latin1Of(bytes, ids.cgroupStart, ids.cgroupEnd));
  }

  /** The encoded Exec, a new copy. */
  get exec(): Uint8Array {
    return new Uint8Array(Buffer.from(this.#exec, "latin1"));
  }

  /** Bytes of the field `image` of a Process row, with its tag and length. */
  get fieldSize(): number {
    const { length } = this.#exec;
    return varintSize(IMAGE_TAG) + varintSize(length) + length;
  }

  /** Writes that field and returns the offset behind it. */
  writeField(bytes: Uint8Array, offset: number): number {
    const start = writeVarint(bytes, writeVarint(bytes, offset, IMAGE_TAG), this.#exec.length);
    return start + writeLatin1(bytes, this.#exec, start);
  }

  /** Counts an event of a process that has this image for its container, where it is known to be in one. */
  countEvent(): void {
    if (this.#container !== undefined) this.#container.events++;
  }

  /** Takes what is known of it by the keys of the event that made it, so that the Exec need not be made again. */
  know(context: Context, keys: ImageKeys, { pid, dataStart, dataEnd }: EventHeader, bytes: Uint8Array): void {
    const message = bytes.subarray(dataStart, dataEnd);
    this.#container = lookUp(context.containers, keys.container, pid, message);
    this.#executable = lookUp(context.executables, keys.executable, pid, message);
  }

  /** The container it is in as far as is known; `pid` is a process that has this image. */
  container(source: ImageSource, pid: number): Row | undefined {
    if (this.#container === undefined || this.#container.isForgotten) this.#container = find(source, pid, this.exec);
    return this.#container;
  }

  /** The same of the file it executes. */
  executable(source: ImageSource, pid: number): Row | undefined {
    if (this.#executable === undefined || this.#executable.isForgotten) this.#executable = find(source, pid, this.exec);
    return this.#executable;
  }
}

/** A process, from its fork to its exit and for as long after as the tree keeps it. */
export class ProcessNode {
  readonly pid: number;
  readonly start: Moment;
  /** /proc gives the start of a process in clock ticks; false until an event tells the ns. */
  startIsExact: boolean;
  /** Who forked it (not who adopted it when its parent ended). */
  parent: ProcessNode | undefined;
  /** An earlier process of the same pid. */
  older: ProcessNode | undefined;
  children = 0;
  /** The kernel's name for it (comm) after its last exec, fork or prctl; an event of its own carries the latest. */
  name: Latin1 = "";
  image: Image | undefined;
  readonly execTime: Moment = { low: 0, high: 0 };
  /** Effective ids as last seen, ID_UNKNOWN if never. */
  uid = ID_UNKNOWN;
  gid = ID_UNKNOWN;
  origin: ProcessOrigin;
  /** From /proc, and only the most important of it. */
  isBrief = false;
  exited = false;
  /** When it ended, CLOCK_BOOTTIME in ns. */
  exitTime = 0;
  /** Exited, and kept for a while for what comes late. */
  lingers = false;
  /** It was not among the processes that ran when that was last looked at. */
  isMissed = false;
  /** No longer in the tree. */
  dropped = false;
  /** When it was last spoken of, as the number of the batch. */
  lastSeen = 0;

  /** Where the current version of it stands in which batch's table; see ProcessTable. */
  tableStamp = -1;
  tableIndex = 0;
  #head: Uint8Array | undefined;
  #headGeneration = -1;

  constructor(pid: number, start: Moment, startIsExact: boolean, origin: ProcessOrigin) {
    this.pid = pid;
    this.start = { low: start.low, high: start.high };
    this.startIsExact = startIsExact;
    this.origin = origin;
  }

  /** Something of it changed: events from now on point to a new row. */
  changed(): void {
    this.#head = undefined;
    this.tableStamp = -1;
  }

  /** Takes the name in bytes[start, end), if it is another. */
  setName(bytes: Uint8Array, start: number, end: number): void {
    const { name } = this;
    let at = name.length === end - start ? 0 : -1;
    while (at >= 0 && at < name.length && name.charCodeAt(at) === bytes[start + at]) at++;
    if (at === name.length || start === end) return;
    this.name = latin1Of(bytes, start, end);
    this.changed();
  }

  setIds(uid: number, gid: number): void {
    this.uid = uid;
    this.gid = gid;
    this.changed();
  }

  /** Replaces the image; the caller keeps count of the bytes. */
  setImage(image: Image | undefined): void {
    if (this.image) this.image.references--;
    if (image) image.references++;
    this.image = image;
    this.changed();
  }

  get loginUid(): number {
    return this.image?.loginUid ?? ID_UNKNOWN;
  }

  /** The row's fields apart from `image` and those that point to other rows, where they are encoded as they are now. */
  headOf(names: UserNames): Uint8Array | undefined {
    return this.#headGeneration === names.generation ? this.#head : undefined;
  }

  /** Encodes them. All calls for one process give the same `names`. */
  encodeHead(names: UserNames): Uint8Array {
    this.#head = encodeHead(this, names);
    this.#headGeneration = names.generation;
    return this.#head;
  }

  /** Why the tree has it. */
  get state(): ProcessState {
    if (!this.exited) return ProcessState.RUNNING;
    return this.children > 0 ? ProcessState.HOLDS_CHILD : ProcessState.PENDING;
  }

  /** The row's fields that tell that, encoded. */
  encodeState(): Uint8Array {
    const offset = uintField(0, PROCESS.state.number, this.state);
    return scratch.slice(0, uintField(offset, PROCESS.exitTimeNs.number, this.exitTime));
  }

  /** They are encoded anew when they are wanted again. */
  forgetHead(): void {
    this.#head = undefined;
  }
}

/** 8 fields of at most 2 + 10 bytes, apart from names. */
const HEAD_FIXED_BYTES_MAX = 96;
/** The kernel's own limit on user names is in tools (32); what is longer is cut, so that a row stays small. */
const NAME_BYTES_MAX = 256;

const scratch = new Uint8Array(HEAD_FIXED_BYTES_MAX + 4 * NAME_BYTES_MAX + UNIT_FIELDS_BYTES_MAX);

function encodeHead(node: ProcessNode, host: UserNames): Uint8Array {
  const names = host.of(node.pid, node.image);
  let offset = uintField(0, PROCESS.pid.number, node.pid);
  offset = momentField(offset, PROCESS.startTimeNs.number, node.start);
  offset = latin1Field(offset, PROCESS.name.number, node.name);
  offset = momentField(offset, PROCESS.execTimeNs.number, node.execTime);
  offset = bytesField(offset, PROCESS.userName.number, names.user(node.uid));
  offset = bytesField(offset, PROCESS.groupName.number, names.group(node.gid));
  offset = bytesField(offset, PROCESS.loginUserName.number, host.user(node.loginUid));
  offset = uintField(offset, PROCESS.origin.number, node.origin);
  offset = uintField(offset, PROCESS.uid.number, node.uid);
  offset = uintField(offset, PROCESS.gid.number, node.gid);
  offset += writeLatin1(scratch, node.image?.units ?? "", offset);
  return scratch.slice(0, offset);
}

/** As protobuf has it, a field that is 0 or empty is left out. */
function uintField(offset: number, number: number, value: number): number {
  if (value === 0) return offset;
  return writeVarint(scratch, writeVarint(scratch, offset, tagOf(number, WIRE_VARINT)), value);
}

function bytesField(offset: number, number: number, value: Uint8Array): number {
  if (value.length === 0) return offset;
  const kept = value.length <= NAME_BYTES_MAX ? value : cutUtf8(value, NAME_BYTES_MAX);
  const contents = writeVarint(scratch, writeVarint(scratch, offset, tagOf(number, WIRE_BYTES)), kept.length);
  scratch.set(kept, contents);
  return contents + kept.length;
}

function latin1Field(offset: number, number: number, value: Latin1): number {
  if (value.length === 0) return offset;
  const start = writeVarint(scratch, offset, tagOf(number, WIRE_BYTES));
  const contents = writeVarint(scratch, start, Math.min(value.length, NAME_BYTES_MAX));
  return contents + writeLatin1(scratch, value.slice(0, NAME_BYTES_MAX), contents);
}

/** Writes such a text and returns how many bytes it has. */
function writeLatin1(bytes: Uint8Array, text: Latin1, offset: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).write(text, offset, "latin1");
}

function momentField(offset: number, number: number, { low, high }: Moment): number {
  if (low === 0 && high === 0) return offset;
  let position = writeVarint(scratch, offset, tagOf(number, WIRE_VARINT));
  let rest = low;
  let above = high;
  while (above !== 0 || rest >= 0x80) {
    scratch[position++] = (rest & 0x7f) | 0x80;
    rest = ((rest >>> 7) | (above << 25)) >>> 0;
    above >>>= 7;
  }
  scratch[position++] = rest;
  return position;
}

/** At most `length` bytes of a text in UTF-8, cut between characters. */
function cutUtf8(text: Uint8Array, length: number): Uint8Array {
  let end = length;
  while (end > 0 && ((text[end] as number) & 0xc0) === 0x80) end--;
  return text.subarray(0, end);
}
