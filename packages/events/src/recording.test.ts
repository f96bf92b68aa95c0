// Recordings are read back whole, in any chunks, and refused when they are none.
import test from "ava";
import { encodeRecordingHeader, encodeRecordingPart, RecordingError, readRecording } from "./recording.ts";

const header = { sensorVersion: "1", kernelRelease: "6.1", machine: "x86_64" };
const batches = [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(9_000).fill(7)];

function recording(): Uint8Array {
  return Buffer.concat([encodeRecordingHeader(header), ...batches.map(encodeRecordingPart)]);
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

async function read(bytes: Uint8Array, size: number): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const part of readRecording(inChunks(bytes, size))) parts.push(Uint8Array.from(part));
  return parts;
}

for (const size of [1, 7, 4096, 1 << 20]) {
  test(`reads what was written, in chunks of ${size} bytes`, async (t) => {
    t.deepEqual(await read(recording(), size), batches);
  });
}

const refused: [string, Uint8Array, string][] = [
  ["another file", Buffer.from("#!/bin/sh\necho this is no recording"), "RECORDING_FOREIGN"],
  ["an empty file", new Uint8Array(0), "RECORDING_BROKEN"],
  [
    "a header that is no message",
    Buffer.concat([Buffer.from("NIGHTJAR"), encodeRecordingPart(Buffer.from([255]))]),
    "RECORDING_BROKEN",
  ],
  [
    "a header of another version",
    Buffer.concat([Buffer.from("NIGHTJAR"), encodeRecordingPart(Buffer.from([8, 99]))]),
    "RECORDING_VERSION",
  ],
  ["a cut recording", recording().subarray(0, -1), "RECORDING_BROKEN"],
  [
    "a length over the limit",
    Buffer.concat([encodeRecordingHeader(header), Buffer.from([255, 255, 255, 127])]),
    "RECORDING_BROKEN",
  ],
];

for (const [what, bytes, code] of refused) {
  test(`refuses ${what}`, async (t) => {
    const error = await t.throwsAsync(() => read(bytes, 4096), { instanceOf: RecordingError });
    t.is(error?.code as string, code);
  });
}
