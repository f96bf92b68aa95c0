// Detections carry the event and its process tree, have the same id each time, and fit the bus.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BatchReader, WireError } from "@nightjar/events";
import { BatchSchema, DetectionBatchSchema, DetectionSchema, Priority } from "@nightjar/proto";
import { detectionId, encodeWithin, GROUP_BYTES_MAX } from "@nightjar/stage";
import test from "ava";
import { detectionOf, type Matched } from "./detections.ts";
import { packDetections } from "./ordered/pack.ts";

const VERSION = "0123456789ab";
const BOOT_ID = new Uint8Array(16).fill(0xab);

function batchOf(events: number, argument = ""): BatchReader {
  const image = { executable: Buffer.from("/usr/bin/cat"), args: [Buffer.from(argument)] };
  const batch = create(BatchSchema, {
    bootId: BOOT_ID,
    epoch: 7n,
    firstPosition: 1_000n,
    nextPosition: 1_000n + BigInt(events),
    bootTimeUnixNs: 1_700_000_000_000_000_000n,
    events: Array.from({ length: events }, (_, index) => ({
      position: 1_000n + BigInt(index),
      timeNs: 1_500_000_000n,
      data: { case: "open" as const, value: { path: Buffer.from("/etc/shadow") } },
    })),
    processes: [{ pid: 1 }, { pid: 20, parent: 1 }, { pid: 300, parent: 2, image }],
    actors: Array.from({ length: events }, () => 3),
  });
  return new BatchReader(toBinary(BatchSchema, batch));
}

function match(eventIndex: number, priority: Priority = Priority.WARNING): Matched {
  const rule = { name: "A rule", priority, tags: ["T1003.008"], place: "a.yaml:1" };
  return { rule, eventIndex, output: "cat read /etc/shadow", fields: { "fd.name": "/etc/shadow" } };
}

test("a detection has the event, the tree from actor to root, and the time of day", (t) => {
  const detection = detectionOf(batchOf(2), match(1), VERSION);
  t.is(detection.eventId, `${"ab".repeat(16)}:0000000000000007:1001`);
  t.is(detection.id, detectionId("A rule", detection.eventId));
  t.deepEqual(
    detection.processes.map((process) => process.pid),
    [300, 20, 1],
  );
  t.is(detection.event?.data.case, "open");
  t.is(detection.time?.seconds, 1_700_000_001n);
  t.is(detection.time?.nanos, 500_000_000);
  t.deepEqual(detection.techniques, ["T1003.008"]);
  t.is(detection.contentVersion, VERSION);
});

test("a detection has the containers and files of its processes, and no others", (t) => {
  const batch = create(BatchSchema, {
    bootId: BOOT_ID,
    nextPosition: 1n,
    events: [{ data: { case: "open", value: {} } }],
    processes: [
      { pid: 1, executable: 1 },
      { pid: 20, parent: 1, container: 3, executable: 2 },
    ],
    containers: [{ id: "other" }, { id: "another" }, { id: "web" }],
    executables: [{ sha256: Buffer.from("init") }, { sha256: Buffer.from("cat") }, { sha256: Buffer.from("lib") }],
    actors: [2],
    mapped: [3],
  });
  const detection = detectionOf(new BatchReader(toBinary(BatchSchema, batch)), match(0), VERSION);
  t.deepEqual(
    detection.containers.map(({ id }) => id),
    ["web"],
  );
  t.deepEqual(
    detection.executables.map(({ sha256 }) => Buffer.from(sha256).toString()),
    ["cat", "init", "lib"],
  );
  t.like(detection.processes[0], { container: 1, executable: 1 });
  t.like(detection.processes[1], { container: 0, executable: 2 });
  t.is(detection.mapped, 3);
});

test("what the rules did not read and is no message is a WireError", (t) => {
  const sound = batchOf(1);
  // Behind the path that the rule read: a group's end, which nothing began.
  const bytes = Uint8Array.from(sound.bytes);
  const place = Buffer.from(bytes).indexOf("/etc/shadow") + "/etc/shadow".length - 1;
  bytes.set([0x0c], place);
  bytes[Buffer.from(bytes).indexOf("/etc/shado") - 1] = "/etc/shado".length;
  t.throws(() => detectionOf(new BatchReader(bytes), match(0), VERSION), { instanceOf: WireError });
});

/** The messages of all matches of a batch. */
function messagesOf(batch: BatchReader, matches: readonly Matched[]) {
  return packDetections(
    matches.map((one) => ({
      priority: one.rule.priority,
      detection: encodeWithin(detectionOf(batch, one, VERSION), GROUP_BYTES_MAX),
    })),
  );
}

test("the same batch makes the same messages, the worst priority first", (t) => {
  const matches = [match(0, Priority.NOTICE), match(1, Priority.CRITICAL), match(2, Priority.NOTICE)];
  const groups = messagesOf(batchOf(3), matches);
  t.deepEqual(groups, messagesOf(batchOf(3), matches));
  t.deepEqual(
    groups.map(({ subject, count }) => [subject, count]),
    [
      ["nightjar.detections.critical", 1],
      ["nightjar.detections.notice", 2],
    ],
  );
});

test("detections too large for one message are split, none lost", (t) => {
  const events = 256;
  const groups = messagesOf(
    batchOf(events, "x".repeat(10_000)),
    Array.from({ length: events }, (_, i) => match(i)),
  );
  t.true(groups.length > 1);
  t.true(groups.every(({ bytes }) => bytes.length <= 1024 * 1024));
  const ids = groups.flatMap(({ bytes }) => fromBinary(DetectionBatchSchema, bytes).detections.map((one) => one.id));
  t.is(new Set(ids).size, events);
  t.is(new Set(groups.map(({ messageId }) => messageId)).size, groups.length);
});

test("a detection too large for a message loses evidence, not itself", (t) => {
  const batch = batchOf(1, "x".repeat(3_000_000));
  const bytes = encodeWithin(detectionOf(batch, match(0), VERSION), GROUP_BYTES_MAX);
  t.true(bytes.length <= GROUP_BYTES_MAX);
  t.is(fromBinary(DetectionSchema, bytes).output, "cat read /etc/shadow");
  const huge = { ...match(0), output: "y".repeat(3_000_000) };
  const cut = encodeWithin(detectionOf(batchOf(1), huge, VERSION), GROUP_BYTES_MAX);
  t.true(cut.length <= GROUP_BYTES_MAX && fromBinary(DetectionSchema, cut).output.length > 0);
});
