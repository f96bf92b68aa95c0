// Reads and writes the protobuf wire format in place, for the paths where decoding whole messages costs too much.
// https://protobuf.dev/programming-guides/encoding/

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/** Thrown when bytes are no protobuf message; callers at a stage's edge turn it into garbage kept aside. */
export class WireError extends Error {
  readonly code = "WIRE_MALFORMED";
  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.name = "WireError";
  }
}

const VARINT_BYTES_MAX = 10;

/**
 * Walks the fields of one message: `next()` moves to the next field and says whether there is one; then `number`,
 * `wireType`, and for the value `start` and `end` (of the contents, where it has a length) hold. One object serves many
 * messages: call `enter` again.
 */
export class FieldCursor {
  bytes: Uint8Array = new Uint8Array(0);
  number = 0;
  wireType = 0;
  /** Where the field's tag begins. */
  fieldStart = 0;
  /** Where the value begins; of a field with a length, where its contents begin. */
  start = 0;
  end = 0;
  #limit = 0;

  enter(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.end = start;
    this.#limit = end;
    return this;
  }

  next(): boolean {
    if (this.end >= this.#limit) return false;
    this.fieldStart = this.end;
    const tag = this.#varint(this.end);
    this.number = Math.floor(tag / 8);
    this.wireType = tag % 8;
    this.start = this.end;
    if (this.number === 0) throw new WireError("field number 0", this.fieldStart);
    if (this.wireType === WIRE_VARINT) this.#varint(this.start);
    else if (this.wireType === WIRE_BYTES) {
      const length = this.#varint(this.start);
      this.start = this.end;
      this.end += length;
    } else if (this.wireType === WIRE_FIXED64) this.end += 8;
    else if (this.wireType === WIRE_FIXED32) this.end += 4;
    else throw new WireError(`wire type ${this.wireType}`, this.fieldStart);
    if (this.end > this.#limit) throw new WireError("a field runs over its message's end", this.fieldStart);
    return true;
  }

  /** The value of a varint field as a number; above 2^53 the lowest bits are lost. */
  uint(): number {
    return readVarint(this.bytes, this.start);
  }

  /** The contents, without a copy. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  #varint(offset: number): number {
    const { bytes } = this;
    const limit = this.#limit;
    let value = 0;
    let scale = 1;
    for (let position = offset; position < limit; position++) {
      const byte = bytes[position] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.end = position + 1;
        return value;
      }
      if (position - offset >= VARINT_BYTES_MAX - 1) break;
      scale *= 128;
    }
    throw new WireError("a varint without an end", offset);
  }
}

/** Where the varint at `offset` ends; throws a WireError when that is not before `limit` or after ten bytes. */
export function varintEnd(bytes: Uint8Array, offset: number, limit: number): number {
  const end = Math.min(limit, offset + VARINT_BYTES_MAX);
  for (let position = offset; position < end; position++) if ((bytes[position] as number) < 0x80) return position + 1;
  throw new WireError("a varint without an end", offset);
}

/** The varint at `offset` as a number; above 2^53 the lowest bits are lost. */
export function readVarint(bytes: Uint8Array, offset: number): number {
  let byte = bytes[offset] as number;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  let scale = 128;
  let position = offset + 1;
  do {
    byte = bytes[position++] as number;
    value += (byte & 0x7f) * scale;
    scale *= 128;
  } while (byte >= 0x80);
  return value;
}

/** The varint at `offset`, exact, as an unsigned 64-bit value. */
export function readVarint64(bytes: Uint8Array, offset: number): bigint {
  let value = 0n;
  let shift = 0n;
  let position = offset;
  for (;;) {
    const byte = bytes[position++] as number;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
    shift += 7n;
  }
}

/** The little-endian 64-bit value at `offset`. */
export function readFixed64(bytes: Uint8Array, offset: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset + offset, 8).getBigUint64(0, true);
}

/** How many bytes `value` takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes `value` as a varint at `offset` and returns the offset behind it. */
export function writeVarint(bytes: Uint8Array, offset: number, value: number): number {
  let position = offset;
  let rest = value;
  while (rest >= 128) {
    bytes[position++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[position++] = rest;
  return position;
}

/** The tag of a field: its number and wire type. */
export function tagOf(number: number, wireType: number): number {
  return number * 8 + wireType;
}
