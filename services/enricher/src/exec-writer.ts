// Encodes an Exec of which some fields are known, as /proc tells them of each process when the enricher starts.
import { type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { tagOf, WIRE_BYTES, WIRE_VARINT, writeVarint } from "@nightjar/events";
import { type Descriptor, DescriptorSchema, ExecSchema } from "@nightjar/proto";

type Init = Exclude<MessageInitShape<typeof ExecSchema>, { $unknown?: unknown }>;

/** The fields that are known, by their names; what is 0, false or empty is left out as protobuf has it. */
export type KnownExec = { -readonly [Name in keyof Init]?: Init[Name] } & { stdio?: Descriptor[] };

/** Paths and arguments are cut at 4 KiB each, arguments of no length take two bytes. */
const EXEC_BYTES_MAX = 64 * 1024;

const EXEC = ExecSchema.field;
const scratch = Buffer.allocUnsafeSlow(EXEC_BYTES_MAX);

/** protobuf-es takes 60 µs for the same, most of it for the fields that are absent: more than reading /proc does. */
export function encodeExec(known: KnownExec): Uint8Array {
  let offset = 0;
  for (const name in known) {
    const { number } = EXEC[name as keyof typeof EXEC];
    offset = writeField(offset, number, known[name as keyof KnownExec] as Value);
  }
  return new Uint8Array(scratch.subarray(0, offset));
}

type Value = number | bigint | boolean | Uint8Array | readonly (Uint8Array | Descriptor)[];

function writeField(offset: number, number: number, value: Value): number {
  if (typeof value === "object") {
    if (value instanceof Uint8Array) return value.length === 0 ? offset : writeBytes(offset, number, value);
    return value.reduce((at, one) => writeBytes(at, number, bytesOf(one)), offset);
  }
  if (!value) return offset;
  const start = writeVarint(scratch, offset, tagOf(number, WIRE_VARINT));
  return typeof value === "bigint" ? writeLarge(start, value) : writeVarint(scratch, start, Number(value));
}

const bytesOf = (value: Uint8Array | Descriptor): Uint8Array =>
  value instanceof Uint8Array ? value : toBinary(DescriptorSchema, value);

function writeBytes(offset: number, number: number, value: Uint8Array): number {
  const start = writeVarint(scratch, writeVarint(scratch, offset, tagOf(number, WIRE_BYTES)), value.length);
  scratch.set(value, start);
  return start + value.length;
}

/** A varint of up to 64 bits. */
function writeLarge(offset: number, value: bigint): number {
  let [at, rest] = [offset, value];
  for (; rest >= 0x80n; rest >>= 7n) scratch[at++] = Number(rest & 0x7fn) | 0x80;
  scratch[at++] = Number(rest);
  return at;
}
