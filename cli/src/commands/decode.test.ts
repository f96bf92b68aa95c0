// Tested with the bytes of each message that is on the bus, and with bytes that are none.
import { create, toBinary } from "@bufbuild/protobuf";
import {
  BatchSchema,
  ConnectSchema,
  DetectionBatchSchema,
  InterestSchema,
  Priority,
  RecordingHeaderSchema,
  StageStatusSchema,
} from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { exitCodes } from "../exit-codes.ts";
import { runCli, sampleBatch } from "../testing.ts";

const rowsOf = async (stdin: Uint8Array, ...args: string[]) => {
  const { stdout } = await runCli(["decode", ...args], { stdin });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
};

test("a batch is one line an event, with process and ancestors", async (t) => {
  const [exec, open, ...more] = await rowsOf(toBinary(BatchSchema, sampleBatch()));
  t.is(more.length, 0);
  t.is(exec.type, "exec");
  t.is(exec.call, "execve");
  t.deepEqual(exec.exec.args, ["cat", "/etc/shadow"]);
  t.is(open.id, `${"ab".repeat(16)}:${"f".repeat(16)}:200`);
  t.is(open.time, "2023-11-14T22:13:20.002Z");
  t.is(open.open.path, "/etc/shadow");
  t.is(open.result, "3");
  t.is(open.process.user_name, "eve");
  t.deepEqual(open.ancestors, [{ pid: 10, name: "bash" }]);
});

const others = {
  detection: toBinary(
    DetectionBatchSchema,
    create(DetectionBatchSchema, {
      detections: [{ id: "0".repeat(32), rule: "A rule", priority: Priority.CRITICAL, event: { pid: 3 } }],
    }),
  ),
  interest: toBinary(InterestSchema, create(InterestSchema, { stage: "rule-engine", eventTypes: [32, 35] })),
  status: toBinary(
    StageStatusSchema,
    create(StageStatusSchema, { stage: "bus", version: "0.1.0", pid: 7, ready: true }),
  ),
};

for (const [type, bytes] of Object.entries(others)) {
  test(`${type}: the bytes tell what they are`, async (t) => {
    const [row] = await rowsOf(bytes);
    t.is(row.type, type);
  });
}

test("a detection's priority is the word rules use", async (t) => {
  const [row] = await rowsOf(others.detection, "nightjar.detections.critical");
  t.is(row.priority, "CRITICAL");
  t.is(row.event.pid, 3);
});

test("an address is written as people write it", async (t) => {
  const batch = sampleBatch();
  const [exec] = batch.events;
  if (!exec) return t.fail();
  const remote = { address: new Uint8Array([...Array(15).fill(0), 1]), port: 443 };
  exec.data = { case: "connect", value: create(ConnectSchema, { family: 10, remote }) };
  const [row] = await rowsOf(toBinary(BatchSchema, batch));
  t.deepEqual(row.connect.remote, { address: "::1", port: 443 });
});

const refused: Record<string, Uint8Array> = {
  "a text": new TextEncoder().encode("hello"),
  "half a batch": toBinary(BatchSchema, sampleBatch()).subarray(0, 100),
  "another message": toBinary(RecordingHeaderSchema, create(RecordingHeaderSchema, { version: 1, machine: "x" })),
};

for (const [what, stdin] of Object.entries(refused)) {
  test(`${what} is refused`, async (t) => {
    const { code, stdout, stderr } = await runCli(["decode"], { stdin });
    t.is(code, exitCodes.FAILED.code);
    t.is(stdout, "");
    t.regex(stderr, /are no message of Nightjar's/);
  });
}

test("a subject that carries something else is refused", async (t) => {
  const { code } = await runCli(["decode", "nightjar.raw"], { stdin: others.detection });
  t.is(code, exitCodes.FAILED.code);
});

test("no bytes at all make it crash", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (stdin) => {
      const { code } = await runCli(["decode"], { stdin });
      t.true(code === exitCodes.OK.code || code === exitCodes.FAILED.code);
    }),
    { numRuns: 200 },
  );
});
