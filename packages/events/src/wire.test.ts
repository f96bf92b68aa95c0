// The wire format, read and written in place, against protobuf-es; and bytes that are no message.
import { BinaryReader, BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";
import test from "ava";
import fc from "fast-check";
import {
  FieldCursor,
  readFixed64,
  readVarint,
  readVarint64,
  tagOf,
  varintEnd,
  varintSize,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
  WireError,
  writeVarint,
} from "./wire.ts";

const FIELD_NUMBER_MAX = 2 ** 29 - 1;
const SAFE_BITS = 53;

interface Field {
  number: number;
  wireType: number;
  value: bigint | Uint8Array;
}

const fieldNumber = fc.integer({ min: 1, max: FIELD_NUMBER_MAX });
const unsigned = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ number: fieldNumber, wireType: fc.constant(WIRE_VARINT), value: unsigned(64) }),
  fc.record({ number: fieldNumber, wireType: fc.constant(WIRE_FIXED64), value: unsigned(64) }),
  fc.record({ number: fieldNumber, wireType: fc.constant(WIRE_FIXED32), value: unsigned(32) }),
  fc.record({ number: fieldNumber, wireType: fc.constant(WIRE_BYTES), value: fc.uint8Array({ maxLength: 300 }) }),
);

function written(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const { number, wireType, value } of fields) {
    writer.tag(number, wireType as WireType);
    if (value instanceof Uint8Array) writer.bytes(value);
    else if (wireType === WIRE_VARINT) writer.uint64(value);
    else if (wireType === WIRE_FIXED64) writer.fixed64(value);
    else writer.fixed32(Number(value));
  }
  return writer.finish();
}

function read(bytes: Uint8Array, start = 0, end = bytes.length): Field[] {
  const cursor = new FieldCursor().enter(bytes, start, end);
  const fields: Field[] = [];
  while (cursor.next()) {
    const { number, wireType } = cursor;
    fields.push({ number, wireType, value: valueAt(cursor) });
  }
  return fields;
}

function valueAt(cursor: FieldCursor): bigint | Uint8Array {
  if (cursor.wireType === WIRE_VARINT) return readVarint64(cursor.bytes, cursor.start);
  if (cursor.wireType === WIRE_FIXED64) return readFixed64(cursor.bytes, cursor.start);
  if (cursor.wireType === WIRE_BYTES) return Uint8Array.from(cursor.view());
  return BigInt(new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset + cursor.start).getUint32(0, true));
}

/** What protobuf-es makes of the same bytes, undefined where it refuses them. */
function numbersByProtobuf(bytes: Uint8Array): number[] | undefined {
  const reader = new BinaryReader(bytes);
  const numbers: number[] = [];
  try {
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      reader.skip(wireType, number);
      numbers.push(number);
    }
  } catch {
    return undefined;
  }
  return numbers;
}

test("reads the fields that protobuf-es wrote, wherever the message lies", (t) => {
  fc.assert(
    fc.property(fc.array(field), fc.uint8Array({ maxLength: 9 }), (fields, before) => {
      const message = written(fields);
      const bytes = Buffer.concat([before, message, before]);
      t.deepEqual(read(bytes, before.length, before.length + message.length), fields);
    }),
  );
});

test("writes varints and tags as protobuf-es does", (t) => {
  fc.assert(
    fc.property(fieldNumber, unsigned(SAFE_BITS), (number, value) => {
      const expected = written([{ number, wireType: WIRE_VARINT, value }]);
      const tag = tagOf(number, WIRE_VARINT);
      const bytes = new Uint8Array(varintSize(tag) + varintSize(Number(value)));
      const end = writeVarint(bytes, writeVarint(bytes, 0, tag), Number(value));
      t.deepEqual(bytes, expected);
      t.is(end, bytes.length);
      t.is(readVarint(bytes, varintSize(tag)), Number(value));
      t.is(varintEnd(bytes, varintSize(tag), bytes.length), bytes.length);
    }),
  );
});

test("a message cut anywhere but between fields is refused", (t) => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (fields, part) => {
      const bytes = written(fields);
      const cut = Math.floor(part * bytes.length);
      const bounds = [...fields, undefined].map((_, count) => written(fields.slice(0, count)).length);
      if (bounds.includes(cut)) t.deepEqual(read(bytes, 0, cut), fields.slice(0, bounds.indexOf(cut)));
      else t.throws(() => read(bytes, 0, cut), { instanceOf: WireError, message: / at byte \d+$/ });
    }),
  );
});

test("any bytes are read to their end or refused with a WireError, and what is read protobuf-es reads too", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      let fields: Field[];
      try {
        fields = read(bytes);
      } catch (error) {
        t.true(error instanceof WireError, String(error));
        return;
      }
      const theirs = numbersByProtobuf(bytes);
      // protobuf-es takes tags of 32 bits only; a number above is no field of anyone's.
      if (fields.every(({ number }) => number <= FIELD_NUMBER_MAX)) {
        t.deepEqual(
          theirs,
          fields.map(({ number }) => number),
        );
      }
    }),
    { numRuns: 2_000 },
  );
});

const endless = new Uint8Array(32).fill(0x80);

for (const [what, bytes] of [
  ["a varint of more than ten bytes", Uint8Array.from([0x08, ...endless, 0x00])],
  ["a tag without an end", endless],
  ["a length that overflows", Uint8Array.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])],
  ["a group", Uint8Array.from([0x0b, 0x0c])],
  ["field number 0", Uint8Array.from([0x00, 0x00])],
] as const) {
  test(`refuses ${what}`, (t) => {
    t.throws(() => read(bytes), { instanceOf: WireError });
  });
}
