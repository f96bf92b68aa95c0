// Recordings: a header, then the collector's batches as they were published, each after its length as a varint.
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { RecordingHeaderSchema } from "@nightjar/proto";
import type { RecordingErrorCode } from "./errors.ts";
import { readVarint, varintSize, writeVarint } from "./wire.ts";

/** The form written and the only one read. */
export const RECORDING_VERSION = 1;
/** How the files of a folder that is a recording in parts are called at their end; their names are in order. */
export const RECORDING_SUFFIX = ".njr";
/** What a recording begins with, so that another file is told at once. */
const MAGIC = new TextEncoder().encode("NIGHTJAR");
/** No part of a recording is larger: batches stay under the bus's largest message. */
export const RECORDING_PART_BYTES_MAX = 1024 * 1024;
const VARINT_BYTES_MAX = 4;

/** What is wrong with a recording. */
export class RecordingError extends Error {
  readonly code: RecordingErrorCode;
  constructor(code: RecordingErrorCode, message: string) {
    super(message);
    this.name = "RecordingError";
    this.code = code;
  }
}

/** The first bytes of a recording; `version` is filled in. */
export function encodeRecordingHeader(header: MessageInitShape<typeof RecordingHeaderSchema>): Uint8Array {
  const message = create(RecordingHeaderSchema, { ...header, version: RECORDING_VERSION });
  const part = encodeRecordingPart(toBinary(RecordingHeaderSchema, message));
  const bytes = new Uint8Array(MAGIC.length + part.length);
  bytes.set(MAGIC);
  bytes.set(part, MAGIC.length);
  return bytes;
}

/** A batch as it stands in a recording. */
export function encodeRecordingPart(batch: Uint8Array): Uint8Array {
  const prefix = varintSize(batch.length);
  const bytes = new Uint8Array(prefix + batch.length);
  writeVarint(bytes, 0, batch.length);
  bytes.set(batch, prefix);
  return bytes;
}

/**
 * Reads a recording as it comes, in chunks of any size: first the header, then the batches. Throws a RecordingError for
 * a file that is none, of another version, or cut off in the middle of a part.
 */
export async function* readRecording(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let header = false;
  for await (const part of parts(chunks)) {
    if (!header) checkHeader(part);
    else yield part;
    header = true;
  }
  if (!header) throw new RecordingError("RECORDING_BROKEN", "the recording ends before its header");
}

function checkHeader(part: Uint8Array): void {
  let version: number;
  try {
    version = fromBinary(RecordingHeaderSchema, part).version;
  } catch (error) {
    throw new RecordingError("RECORDING_BROKEN", `the recording's header cannot be read: ${(error as Error).message}`);
  }
  if (version === RECORDING_VERSION) return;
  const message = `the recording has version ${version}; this sensor reads version ${RECORDING_VERSION}`;
  throw new RecordingError("RECORDING_VERSION", message);
}

async function* parts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  let begun = false;
  for await (const chunk of chunks) {
    rest = joined(rest, chunk);
    if (!begun) {
      if (rest.length < MAGIC.length) continue;
      if (!MAGIC.every((byte, index) => rest[index] === byte)) {
        throw new RecordingError("RECORDING_FOREIGN", "this is no recording of Nightjar's");
      }
      rest = rest.subarray(MAGIC.length);
      begun = true;
    }
    for (let part = firstPart(rest); part; part = firstPart(rest)) {
      yield rest.subarray(part.start, part.end);
      rest = rest.subarray(part.end);
    }
  }
  if (rest.length > 0) throw new RecordingError("RECORDING_BROKEN", "the recording is cut off");
}

function joined(rest: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (rest.length === 0) return chunk;
  const bytes = new Uint8Array(rest.length + chunk.length);
  bytes.set(rest);
  bytes.set(chunk, rest.length);
  return bytes;
}

/** The bounds of the first whole part, undefined when more bytes are needed. */
function firstPart(bytes: Uint8Array): { start: number; end: number } | undefined {
  let size = 1;
  while (size <= bytes.length && (bytes[size - 1] as number) >= 0x80) {
    if (size++ >= VARINT_BYTES_MAX) throw new RecordingError("RECORDING_BROKEN", "a part without a length");
  }
  if (size > bytes.length) return undefined;
  const length = readVarint(bytes, 0);
  if (length > RECORDING_PART_BYTES_MAX) throw new RecordingError("RECORDING_BROKEN", "a part that is too large");
  const end = size + length;
  return end <= bytes.length ? { start: size, end } : undefined;
}
