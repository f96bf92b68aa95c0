// Reads an encoded Batch without decoding its events: where they lie, what type they have, which process acted.
import { AddressNameSchema, BatchSchema, EventSchema, eventTypes, IdNameSchema, ProcessSchema } from "@nightjar/proto";
import { sourceIdOf } from "./source-id.ts";
import {
  FieldCursor,
  readFixed64,
  readVarint,
  readVarint64,
  varintEnd,
  WIRE_BYTES,
  WIRE_FIXED64,
  WIRE_VARINT,
  WireError,
} from "./wire.ts";

const BATCH = BatchSchema.field;
const EVENT_POSITION = EventSchema.field.position.number;
const EVENT_TIME = EventSchema.field.timeNs.number;
const ID_NAME = IdNameSchema.field;
const ADDRESS_NAME = AddressNameSchema.field;
const utf8 = new TextDecoder();
const PROCESS_PARENT = ProcessSchema.field.parent.number;

/** Field numbers of event types are at least this, and no other field of Event's reaches it. */
const EVENT_TYPE_MIN = Math.min(...eventTypes.map((type) => type.id));

/**
 * An encoded Batch. The constructor walks the top level and throws a WireError where it is no message; events are
 * looked into only when asked for. The bytes are not copied and must not change while the reader is in use.
 */
export class BatchReader {
  readonly bytes: Uint8Array;
  bootId = new Uint8Array(0);
  epoch = 0n;
  firstPosition = 0;
  nextPosition = 0;
  bootTimeUnixNs = 0n;
  /** Where the events' contents begin and end, in order: start, end, start, end … */
  readonly eventBounds: number[] = [];
  /** The same for the rows of the table of processes. */
  readonly processBounds: number[] = [];
  /** Names of the users and groups that the events' arguments speak of, by id. */
  readonly userNames = new Map<number, string>();
  readonly groupNames = new Map<number, string>();
  /** Where the rows of the tables of containers and executables begin and end. */
  readonly containerBounds: number[] = [];
  readonly executableBounds: number[] = [];
  readonly #actors: number[] = [];
  /** The rows of the table of names of addresses: start, end … */
  readonly #addressNameBounds: number[] = [];
  /** The same by address, once somebody asked. */
  #addressNames: Map<string, AddressNameRow[]> | undefined;
  readonly #mapped: number[] = [];
  readonly #cursor = new FieldCursor();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const cursor = this.#cursor.enter(bytes, 0, bytes.length);
    while (cursor.next()) this.#field(cursor);
    if (this.bootId.length !== BOOT_ID_BYTES) throw new WireError("a batch without a boot id", 0);
    if (this.nextPosition < this.firstPosition) throw new WireError("a batch whose range is reversed", 0);
    if (!Number.isSafeInteger(this.nextPosition)) throw new WireError("a position above 2^53", 0);
  }

  get length(): number {
    return this.eventBounds.length / 2;
  }

  /** The range's name, the same for everyone: boot id, epoch and positions. */
  get id(): string {
    return `${this.sourceId}:${this.firstPosition}-${this.nextPosition}`;
  }

  /** Boot id and epoch in hexadecimal: positions of one source are in one order. */
  get sourceId(): string {
    return sourceIdOf(this.bootId, this.epoch);
  }

  eventStart(index: number): number {
    return this.eventBounds[2 * index] as number;
  }

  eventEnd(index: number): number {
    return this.eventBounds[2 * index + 1] as number;
  }

  /** The event type's id (its number in Event's oneof), 0 for an event that has none. */
  eventType(index: number): number {
    const cursor = this.#cursor.enter(this.bytes, this.eventStart(index), this.eventEnd(index));
    let type = 0;
    while (cursor.next()) if (cursor.number >= EVENT_TYPE_MIN && cursor.wireType === WIRE_BYTES) type = cursor.number;
    return type;
  }

  eventPosition(index: number): number {
    const cursor = this.#cursor.enter(this.bytes, this.eventStart(index), this.eventEnd(index));
    while (cursor.next()) if (cursor.number === EVENT_POSITION && cursor.wireType === WIRE_VARINT) return cursor.uint();
    return 0;
  }

  /** When an event happened, in ns on CLOCK_BOOTTIME; exact for 104 days of a boot, to the µs for ever. */
  eventTimeNs(index: number): number {
    const cursor = this.#cursor.enter(this.bytes, this.eventStart(index), this.eventEnd(index));
    while (cursor.next()) if (cursor.number === EVENT_TIME && cursor.wireType === WIRE_VARINT) return cursor.uint();
    return 0;
  }

  /** The identity of an event: boot id, epoch and position. */
  eventId(index: number): string {
    return `${this.sourceId}:${this.eventPosition(index)}`;
  }

  /** The row of the process that acted, -1 where it is not known. */
  actor(index: number): number {
    return (this.#actors[index] ?? 0) - 1;
  }

  /**
   * The domain names of an address for the process with this identity: those that it was resolved from by that process,
   * or else by others; none where nobody did.
   */
  namesOf(address: Uint8Array, pid: number, startTimeNs: number | bigint): readonly string[] {
    if (this.#addressNameBounds.length === 0) return NO_NAMES;
    this.#addressNames ??= this.#readAddressNames();
    const rows = this.#addressNames.get(address.join("."));
    const start = BigInt(startTimeNs);
    const own = rows?.find((row) => row.pid === pid && row.startTimeNs === start);
    return (own ?? rows?.find((row) => row.pid === 0))?.names ?? NO_NAMES;
  }

  /** The row of the executable that is the file an event mapped, -1 where it mapped none or nothing is known of it. */
  mapped(index: number): number {
    return (this.#mapped[index] ?? 0) - 1;
  }

  get processCount(): number {
    return this.processBounds.length / 2;
  }

  /** The row of a process's parent, -1 where there is none; throws a WireError where there is no such row. */
  parent(row: number): number {
    const { processBounds } = this;
    if (row >= this.processCount) throw new WireError(`a batch without a process in row ${row}`, this.bytes.length);
    const cursor = this.#cursor.enter(
      this.bytes,
      processBounds[2 * row] as number,
      processBounds[2 * row + 1] as number,
    );
    let parent = 0;
    while (cursor.next())
      if (cursor.number === PROCESS_PARENT && cursor.wireType === WIRE_VARINT) parent = cursor.uint();
    return parent - 1;
  }

  /**
   * The rows of the process that acted and of its ancestors, it first; throws a WireError where one is missing or its
   * own ancestor.
   */
  lineage(index: number): number[] {
    const rows = new Set<number>();
    for (let row = this.actor(index); row >= 0; row = this.parent(row)) {
      if (rows.has(row)) throw new WireError(`a process that is its own ancestor, in row ${row}`, this.bytes.length);
      rows.add(row);
    }
    return [...rows];
  }

  #field(cursor: FieldCursor): void {
    const { number, wireType, bytes } = cursor;
    if (wireType === WIRE_BYTES) this.#bytesField(cursor);
    else if (number === BATCH.epoch.number && wireType === WIRE_FIXED64) this.epoch = readFixed64(bytes, cursor.start);
    else if (wireType !== WIRE_VARINT) return;
    else if (number === BATCH.firstPosition.number) this.firstPosition = cursor.uint();
    else if (number === BATCH.nextPosition.number) this.nextPosition = cursor.uint();
    else if (number === BATCH.bootTimeUnixNs.number) this.bootTimeUnixNs = readVarint64(bytes, cursor.start);
  }

  #readAddressNames(): Map<string, AddressNameRow[]> {
    const bounds = this.#addressNameBounds;
    const rows = new Map<string, AddressNameRow[]>();
    for (let at = 0; at < bounds.length; at += 2) {
      const row = readAddressName(this.#cursor.enter(this.bytes, bounds[at] as number, bounds[at + 1] as number));
      rows.set(row.address, [...(rows.get(row.address) ?? []), row]);
    }
    return rows;
  }

  #bytesField(cursor: FieldCursor): void {
    const { number, start, end } = cursor;
    if (number === BATCH.events.number) this.eventBounds.push(start, end);
    else if (number === BATCH.processes.number) this.processBounds.push(start, end);
    else if (number === BATCH.actors.number) readPacked(cursor, this.#actors);
    else if (number === BATCH.bootId.number) this.bootId = cursor.bytes.slice(start, end);
    else if (number === BATCH.users.number) readIdName(cursor, this.userNames);
    else if (number === BATCH.groups.number) readIdName(cursor, this.groupNames);
    else if (number === BATCH.containers.number) this.containerBounds.push(start, end);
    else if (number === BATCH.executables.number) this.executableBounds.push(start, end);
    else if (number === BATCH.mapped.number) readPacked(cursor, this.#mapped);
    else if (number === BATCH.addressNames.number) this.#addressNameBounds.push(start, end);
  }
}

function readPacked({ bytes, start, end }: FieldCursor, into: number[]): void {
  for (let offset = start; offset < end; ) {
    const next = varintEnd(bytes, offset, end);
    into.push(readVarint(bytes, offset));
    offset = next;
  }
}

function readIdName({ bytes, start, end }: FieldCursor, names: Map<number, string>): void {
  const inner = new FieldCursor().enter(bytes, start, end);
  let id = 0;
  let name = "";
  while (inner.next()) {
    if (inner.number === ID_NAME.id.number && inner.wireType === WIRE_VARINT) id = inner.uint();
    if (inner.number === ID_NAME.name.number && inner.wireType === WIRE_BYTES)
      name = utf8.decode(bytes.subarray(inner.start, inner.end));
  }
  names.set(id, name);
}

interface AddressNameRow {
  address: string;
  names: string[];
  pid: number;
  startTimeNs: bigint;
}

function readAddressName(cursor: FieldCursor): AddressNameRow {
  const row: AddressNameRow = { address: "", names: [], pid: 0, startTimeNs: 0n };
  while (cursor.next()) {
    const { number, wireType, bytes, start } = cursor;
    if (number === ADDRESS_NAME.address.number && wireType === WIRE_BYTES) row.address = cursor.view().join(".");
    else if (number === ADDRESS_NAME.names.number && wireType === WIRE_BYTES)
      row.names.push(utf8.decode(cursor.view()));
    else if (number === ADDRESS_NAME.pid.number && wireType === WIRE_VARINT) row.pid = cursor.uint();
    else if (number === ADDRESS_NAME.startTimeNs.number && wireType === WIRE_VARINT)
      row.startTimeNs = readVarint64(bytes, start);
  }
  return row;
}

const NO_NAMES: readonly string[] = [];
const BOOT_ID_BYTES = 16;
