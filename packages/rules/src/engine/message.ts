// One encoded message whose fields are found in a single scan and decoded when they are asked for.
import { readVarint, readVarint64, WireError } from "@nightjar/events";

/** The highest field number of a message that rules read, unless it says otherwise. */
export const FIELD_NUMBER_MAX = 63;

const utf8 = new TextDecoder("utf-8", { fatal: false });
const EMPTY = new Uint8Array(0);

/**
 * A view of a message in a batch; one object serves many. `load` is cheap, the scan happens at the first question.
 * Of a field that occurs several times the last value counts, as protobuf has it; `occurrences` gives them all.
 */
export class Message {
  bytes: Uint8Array = EMPTY;
  begin = 0;
  end = 0;
  readonly #numberMax: number;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  #scanned = true;
  #beyond = 0;
  #beyondStart = 0;
  #beyondEnd = 0;

  /** Fields with a higher number than this are walked over; the last of them that has a length is `beyond`. */
  constructor(numberMax = FIELD_NUMBER_MAX) {
    this.#numberMax = numberMax;
    this.#starts = new Int32Array(numberMax + 1);
    this.#ends = new Int32Array(numberMax + 1);
  }

  load(bytes: Uint8Array, begin: number, end: number): void {
    this.bytes = bytes;
    this.begin = begin;
    this.end = end;
    this.#scanned = false;
  }

  has(number: number): boolean {
    if (!this.#scanned) this.#scan();
    return this.#starts[number] !== 0;
  }

  /** Where the field's value begins, 0 where there is none: no field stands at the very beginning of a batch. */
  start(number: number): number {
    if (!this.#scanned) this.#scan();
    return this.#starts[number] as number;
  }

  stop(number: number): number {
    if (!this.#scanned) this.#scan();
    return this.#ends[number] as number;
  }

  /** The number of the last field with a length whose number is above the highest; 0 where there is none. */
  get beyond(): number {
    if (!this.#scanned) this.#scan();
    return this.#beyond;
  }

  get beyondStart(): number {
    return this.#beyondStart;
  }

  get beyondEnd(): number {
    return this.#beyondEnd;
  }

  /** A varint below 2^53; 0 where it is absent, as protobuf has it. */
  uint(number: number): number {
    const start = this.start(number);
    return start === 0 ? 0 : readVarint(this.bytes, start);
  }

  /** A 64-bit varint, exact: a number where it is safe, else a bigint. */
  uint64(number: number): number | bigint {
    const start = this.start(number);
    if (start === 0) return 0;
    const rough = readVarint(this.bytes, start);
    return rough <= Number.MAX_SAFE_INTEGER ? rough : readVarint64(this.bytes, start);
  }

  /** A signed varint (int32, int64). */
  int(number: number): number {
    const start = this.start(number);
    if (start === 0) return 0;
    const rough = readVarint(this.bytes, start);
    return rough <= Number.MAX_SAFE_INTEGER ? rough : Number(BigInt.asIntN(64, readVarint64(this.bytes, start)));
  }

  /** The text of a string or bytes field; undefined where it is absent or empty. */
  text(number: number): string | undefined {
    const start = this.start(number);
    const stop = this.#ends[number] as number;
    return start === stop ? undefined : decodeText(this.bytes, start, stop);
  }

  /** The bytes of a field as code points 0 to 255; undefined where it is absent or empty. */
  binary(number: number): string | undefined {
    const bytes = this.view(number);
    if (!bytes) return undefined;
    // Not TextDecoder's latin1, which is Windows-1252.
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }

  /** The contents of a bytes field, without a copy; undefined where it is absent or empty. */
  view(number: number): Uint8Array | undefined {
    const start = this.start(number);
    const stop = this.#ends[number] as number;
    return start === stop ? undefined : this.bytes.subarray(start, stop);
  }

  /** Start and end of every value of a repeated field with a length, in order. */
  occurrences(number: number): number[] {
    const found: number[] = [];
    if (!this.has(number)) return found;
    this.#walk((at, start, stop) => {
      if (at === number) found.push(start, stop);
    });
    return found;
  }

  #scan(): void {
    const starts = this.#starts;
    const ends = this.#ends;
    starts.fill(0);
    ends.fill(0);
    this.#scanned = true;
    this.#beyond = 0;
    const numberMax = this.#numberMax;
    const { bytes, end } = this;
    let offset = this.begin;
    while (offset < end) {
      let tag = bytes[offset++] as number;
      if (tag >= 0x80) {
        tag = readVarint(bytes, offset - 1);
        while ((bytes[offset++] as number) >= 0x80);
      }
      const number = tag >>> 3;
      let start = offset;
      const wireType = tag & 7;
      if (wireType === 0) while ((bytes[offset++] as number) >= 0x80);
      else if (wireType === 2) {
        let length = bytes[offset++] as number;
        if (length >= 0x80) {
          length = readVarint(bytes, offset - 1);
          while ((bytes[offset++] as number) >= 0x80);
        }
        start = offset;
        offset += length;
      } else if (wireType === 1) offset += 8;
      else if (wireType === 5) offset += 4;
      else throw new WireError(`wire type ${wireType}`, start);
      if (offset > end) throw new WireError("a field runs over its message's end", start);
      if (number <= numberMax) {
        starts[number] = start;
        ends[number] = offset;
      } else if (wireType === 2) {
        this.#beyond = number;
        this.#beyondStart = start;
        this.#beyondEnd = offset;
      }
    }
  }

  #walk(visit: (number: number, start: number, stop: number) => void): void {
    const { bytes, end } = this;
    let offset = this.begin;
    while (offset < end) {
      const tag = readVarint(bytes, offset);
      while ((bytes[offset++] as number) >= 0x80);
      let start = offset;
      if ((tag & 7) === 0) while ((bytes[offset++] as number) >= 0x80);
      else if ((tag & 7) === 2) {
        const length = readVarint(bytes, offset);
        while ((bytes[offset++] as number) >= 0x80);
        start = offset;
        offset += length;
      } else offset += (tag & 7) === 1 ? 8 : 4;
      visit(tag >>> 3, start, offset);
    }
  }
}

/** Texts of at most so many bytes are remembered; longer ones seldom come twice. */
const REMEMBERED_BYTES_MAX = 128;
/** A power of two: what a text's hash is cut to. */
const REMEMBERED_TEXTS = 8192;

const rememberedTexts: string[] = new Array(REMEMBERED_TEXTS).fill("");
const rememberedBytes: Uint8Array[] = new Array(REMEMBERED_TEXTS).fill(EMPTY);

/**
 * Bytes as text: UTF-8, with U+FFFD for what is none. The same few thousand paths and names come again and again, so
 * short ones are remembered: comparing bytes costs less than decoding, and the same string object compares fastest.
 */
export function decodeText(bytes: Uint8Array, start: number, stop: number): string {
  if (stop - start > REMEMBERED_BYTES_MAX) return utf8.decode(bytes.subarray(start, stop));
  let hash = stop - start;
  for (let at = start; at < stop; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 13)) & (REMEMBERED_TEXTS - 1);
  const known = rememberedBytes[slot] as Uint8Array;
  if (known.length === stop - start && holdsAt(bytes, start, known)) return rememberedTexts[slot] as string;
  const text = utf8.decode(bytes.subarray(start, stop));
  rememberedBytes[slot] = bytes.slice(start, stop);
  rememberedTexts[slot] = text;
  return text;
}

function holdsAt(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at++) if (bytes[start + at] !== wanted[at]) return false;
  return true;
}
