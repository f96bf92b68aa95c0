// Finds the indicators that events show, in their encoded bytes: what is known already costs no decoding.

import { create } from "@bufbuild/protobuf";
import { type BatchReader, FieldCursor, formatAddress, WIRE_BYTES, WIRE_VARINT } from "@nightjar/events";
import {
  ConnectSchema,
  DnsAnswerSchema,
  DnsSchema,
  EndpointSchema,
  EventSchema,
  ExecutableSchema,
  eventTypes,
  type Indicator,
  IndicatorKind,
  IndicatorSchema,
  ProcessSchema,
} from "@nightjar/proto";

const EVENT = EventSchema.field;
const DNS = DnsSchema.field;
const TYPE_MIN = Math.min(...eventTypes.map(({ id }) => id));

/** An indicator as one text: its kind's number and its value in the one form that Indicator has. */
export type IndicatorKey = string;

export function keyOf({ kind, value }: Indicator): IndicatorKey {
  return `${kind}:${value}`;
}

export function indicatorOf(key: IndicatorKey): Indicator {
  const colon = key.indexOf(":");
  return create(IndicatorSchema, { kind: Number(key.slice(0, colon)) as IndicatorKind, value: key.slice(colon + 1) });
}

/** An event of a batch, as far as this looks. Used again by each event. */
class Fact {
  index = 0;
  type = 0;
  dataStart = 0;
  dataEnd = 0;
  pid = 0;
  startTimeNs = 0;
}

/** The indicators of a batch's events. */
export class ShownIndicators {
  readonly #batch: BatchReader;
  readonly #types: ReadonlySet<number> | undefined;
  readonly #cursor = new FieldCursor();
  readonly #fact = new Fact();
  /** For each row of the table of executables its file's key, "" where its digest is not known. */
  readonly #files = new Map<number, IndicatorKey>();

  /** Without `types`, events of every type show something. */
  constructor(batch: BatchReader, types?: ReadonlySet<number>) {
    this.#batch = batch;
    this.#types = types;
  }

  /**
   * What an event shows; the process that does is in `process` until the next call.
   * @throws WireError where the event is no message.
   */
  of(index: number): readonly IndicatorKey[] {
    const fact = this.#read(index);
    if (this.#types?.has(fact.type) === false) return NOTHING;
    return SHOWS.get(fact.type)?.(this, fact) ?? NOTHING;
  }

  /** Who showed it: pid and start. */
  get process(): string {
    return `${this.#fact.pid}:${this.#fact.startTimeNs}`;
  }

  /** The key of the file in a row of the table of executables. */
  file(row: number): readonly IndicatorKey[] {
    if (row < 0) return NOTHING;
    let key = this.#files.get(row);
    if (key === undefined) {
      key = this.#fileKey(row);
      this.#files.set(row, key);
    }
    return key === "" ? NOTHING : [key];
  }

  /** The row of the file that the acting process executes, -1 where it is not known. */
  executed({ index }: Fact): number {
    const row = this.#batch.actor(index);
    const bounds = this.#batch.processBounds;
    const [start, end] = [bounds[2 * row], bounds[2 * row + 1]];
    if (start === undefined || end === undefined) return -1;
    let executable = 0;
    const cursor = this.#cursor.enter(this.#batch.bytes, start, end);
    while (cursor.next())
      if (cursor.number === ProcessSchema.field.executable.number && cursor.wireType === WIRE_VARINT)
        executable = cursor.uint();
    return executable - 1;
  }

  mapped({ index }: Fact): number {
    return this.#batch.mapped(index);
  }

  /** The contents of the fields with this number in bytes[start, end) of the batch. */
  fields(start: number, end: number, number: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    const cursor = this.#cursor.enter(this.#batch.bytes, start, end);
    while (cursor.next()) if (cursor.number === number && cursor.wireType === WIRE_BYTES) found.push(cursor.view());
    return found;
  }

  #read(index: number): Fact {
    const fact = this.#fact;
    fact.index = index;
    fact.type = fact.pid = fact.startTimeNs = 0;
    const batch = this.#batch;
    const cursor = this.#cursor.enter(batch.bytes, batch.eventStart(index), batch.eventEnd(index));
    while (cursor.next()) {
      const { number, wireType } = cursor;
      if (number >= TYPE_MIN && wireType === WIRE_BYTES) {
        fact.type = number;
        fact.dataStart = cursor.start;
        fact.dataEnd = cursor.end;
      } else if (wireType !== WIRE_VARINT) continue;
      else if (number === EVENT.pid.number) fact.pid = cursor.uint();
      else if (number === EVENT.startTimeNs.number) fact.startTimeNs = cursor.uint();
    }
    return fact;
  }

  #fileKey(row: number): IndicatorKey {
    const { executableBounds: bounds } = this.#batch;
    const [start, end] = [bounds[2 * row], bounds[2 * row + 1]];
    if (start === undefined || end === undefined) return "";
    const [sha256] = this.fields(start, end, ExecutableSchema.field.sha256.number);
    return sha256?.length === SHA256_BYTES ? `${IndicatorKind.FILE_SHA256}:${Buffer.from(sha256).toString("hex")}` : "";
  }
}

const SHA256_BYTES = 32;
const NOTHING: readonly IndicatorKey[] = [];

/** What events of a type show. */
const SHOWS: ReadonlyMap<number, (batch: ShownIndicators, fact: Fact) => readonly IndicatorKey[]> = new Map([
  [EVENT.exec.number, (batch, fact) => batch.file(batch.executed(fact))],
  [EVENT.library.number, (batch, fact) => batch.file(batch.mapped(fact))],
  [EVENT.connect.number, (batch, fact) => remoteOf(batch, fact)],
  [EVENT.dns.number, (batch, fact) => domainsOf(batch, fact)],
]);

function remoteOf(batch: ShownIndicators, { dataStart, dataEnd }: Fact): readonly IndicatorKey[] {
  const [remote] = batch.fields(dataStart, dataEnd, ConnectSchema.field.remote.number);
  const address = remote && fieldOf(remote, EndpointSchema.field.address.number);
  const text = address && addressForm(address);
  return text ? [`${IndicatorKind.ADDRESS}:${text}`] : NOTHING;
}

/** The name that was asked for, and those it was said to be another name of. */
function domainsOf(batch: ShownIndicators, { dataStart, dataEnd }: Fact): readonly IndicatorKey[] {
  const names = batch.fields(dataStart, dataEnd, DNS.questionName.number);
  for (const answer of batch.fields(dataStart, dataEnd, DNS.answers.number)) {
    const target = fieldOf(answer, DnsAnswerSchema.field.target.number);
    if (target) names.push(target);
  }
  const forms = names.map(domainForm).filter((form) => form !== "");
  return [...new Set(forms)].map((form) => `${IndicatorKind.DOMAIN}:${form}`);
}

const inner = new FieldCursor();

function fieldOf(message: Uint8Array, number: number): Uint8Array | undefined {
  let value: Uint8Array | undefined;
  inner.enter(message, 0, message.length);
  while (inner.next()) if (inner.number === number && inner.wireType === WIRE_BYTES) value = inner.view();
  return value;
}

/** ::ffff:0:0/96, the addresses of IPv4 as a socket of IPv6 has them. */
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** An address as text, "" where no list can know it: loopback, link-local, multicast, none at all. */
export function addressForm(address: Uint8Array): string {
  const isMapped = address.length === 16 && MAPPED_PREFIX.every((byte, at) => address[at] === byte);
  const bytes = isMapped ? address.subarray(MAPPED_PREFIX.length) : address;
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 4) {
    const isLinkLocal = first === 169 && second === 254;
    return first === 0 || first === 127 || first >= 224 || isLinkLocal ? "" : formatAddress(bytes);
  }
  if (bytes.length !== 16) return "";
  const isLow = bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] as number) <= 1;
  const isLinkLocal = first === 0xfe && (second & 0xc0) === 0x80;
  return isLow || first === 0xff || isLinkLocal ? "" : formatAddress(bytes);
}

/** Names below these are no domains of anybody's (RFC 6761, 6762, 1035). */
const LOCAL = [".arpa", ".local", ".localhost", ".localdomain"];
const DOMAIN_CHARACTERS_MAX = 253;

/** A DNS name as an indicator has it, "" where it is none. The probe gives it in lower case, without its last dot. */
export function domainForm(name: Uint8Array): string {
  const text = Buffer.from(name.buffer, name.byteOffset, name.length).toString("latin1");
  const isDomain = text.length <= DOMAIN_CHARACTERS_MAX && /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(text);
  return isDomain && !LOCAL.some((end) => text.endsWith(end)) ? text : "";
}
