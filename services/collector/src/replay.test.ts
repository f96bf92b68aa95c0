// Recordings are published whole, in order and under their own names; what is none is refused with its code.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { encodeRecordingHeader, encodeRecordingPart } from "@nightjar/events";
import { BatchSchema } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { replay } from "./replay.ts";
import { fakeStage, type Waiting } from "./testing.ts";

const header = encodeRecordingHeader({ sensorVersion: "1", kernelRelease: "6.1", machine: "x86_64" });

function batch(epoch: number, first: number): Uint8Array {
  const range = { firstPosition: BigInt(first), nextPosition: BigInt(first + 10) };
  const bootId = new Uint8Array(16).fill(1);
  return toBinary(BatchSchema, create(BatchSchema, { bootId, epoch: BigInt(epoch), ...range, events: [{}, {}] }));
}

function recordingOf(t: ExecutionContext, ...parts: Uint8Array[]): string {
  const file = join(temporaryFolder(t), "recording");
  writeFileSync(file, Buffer.concat([header, ...parts.map(encodeRecordingPart)]));
  return file;
}

/** Stores what comes, one by one. */
async function storeAll(waiting: Waiting[], done: Promise<unknown>): Promise<Waiting[]> {
  const stored: Waiting[] = [];
  let over = false;
  const end = () => {
    over = true;
  };
  done.then(end, end);
  while (!over) {
    const next = await waitFor(() => (over ? "over" : waiting.shift()), { what: "a batch or the end" });
    if (next === "over") break;
    stored.push(next);
    next.store();
  }
  return stored;
}

test("publishes every batch in order, with the identities it was recorded with", async (t) => {
  const { stage, waiting, counts, facts } = fakeStage();
  const parts = [0, 10, 20, 30, 40, 50].map((first) => batch(7, first));
  const done = replay(stage, recordingOf(t, ...parts, batch(8, 0)));
  const stored = await storeAll(waiting, done);
  await done;
  t.deepEqual(
    stored.map(({ messageId }) => messageId.slice(33)),
    [
      ...[0, 10, 20, 30, 40, 50].map((first) => `${"7".padStart(16, "0")}:${first}-${first + 10}`),
      `${"8".padStart(16, "0")}:0-10`,
    ],
  );
  t.deepEqual(
    stored.map(({ bytes }) => Buffer.from(bytes)),
    [...parts, batch(8, 0)].map((part) => Buffer.from(part)),
  );
  t.is(counts.get("events_published"), 14);
  t.is(facts.get("replay"), "finished");
});

test("a folder's recordings are played in the order of their names, and nothing else in it", async (t) => {
  const { stage, waiting, counts } = fakeStage();
  const folder = join(temporaryFolder(t), "ring");
  mkdirSync(folder);
  for (const [name, first] of [
    ["b.njr", 10],
    ["a.njr", 0],
    ["c.njr", 20],
  ] as const)
    writeFileSync(join(folder, name), Buffer.concat([header, encodeRecordingPart(batch(7, first))]));
  writeFileSync(join(folder, "notes.txt"), "no recording");
  const stored = await storeAll(waiting, replay(stage, folder));
  t.deepEqual(
    stored.map(({ messageId }) => messageId.split(":").at(-1)),
    ["0-10", "10-20", "20-30"],
  );
  t.is(counts.get("events_published"), 6);
});

test("batches without a range of their own do not pass for one another", async (t) => {
  const { stage, waiting } = fakeStage();
  const empty = (pid: number) => {
    const bootId = new Uint8Array(16).fill(1);
    return toBinary(BatchSchema, create(BatchSchema, { bootId, epoch: 7n, processes: [{ pid }] }));
  };
  const stored = await storeAll(waiting, replay(stage, recordingOf(t, empty(1), empty(2), batch(7, 0))));
  t.is(new Set(stored.map(({ messageId }) => messageId)).size, 3);
});

test("is not finished before the last batch is stored, and holds back at the limit", async (t) => {
  const { stage, waiting, facts } = fakeStage();
  const firsts = [0, 10, 20, 30, 40, 50];
  const done = replay(stage, recordingOf(t, ...firsts.map((first) => batch(7, first))));
  await waitFor(() => waiting.length === stage.settings.collector.in_flight_batches, { what: "the limit is reached" });
  t.is(facts.get("replay"), undefined);
  for (const one of [...waiting]) one.store();
  await waitFor(() => waiting.length === firsts.length, { what: "the rest comes" });
  for (const one of waiting) one.store();
  await done;
  t.is(facts.get("replay"), "finished");
});

const refused: readonly (readonly [what: string, bytes: Uint8Array, code: string])[] = [
  ["another file", Buffer.from("PK\u0003\u0004, an archive"), "RECORDING_FOREIGN"],
  ["an empty file", new Uint8Array(0), "RECORDING_BROKEN"],
  [
    "a recording that is cut off",
    Buffer.concat([header, encodeRecordingPart(batch(7, 0)).subarray(0, -2)]),
    "RECORDING_BROKEN",
  ],
  ["a batch that is none", Buffer.concat([header, encodeRecordingPart(Buffer.from([255, 255]))]), "WIRE_MALFORMED"],
  ["a batch without its boot id", Buffer.concat([header, encodeRecordingPart(new Uint8Array(0))]), "WIRE_MALFORMED"],
];

for (const [what, bytes, code] of refused) {
  test(`refuses ${what}`, async (t) => {
    const { stage, waiting, facts } = fakeStage();
    const file = join(temporaryFolder(t), "file");
    writeFileSync(file, bytes);
    const done = replay(stage, file);
    await storeAll(waiting, done);
    await t.throwsAsync(done, { code });
    t.is(facts.get("replay"), undefined);
  });
}
