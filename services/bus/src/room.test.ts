// Tests what happens when streams are full: detections of low severity make room, the others refuse, all of it is said.
import { spawnSync } from "node:child_process";
import { jetstream } from "@nats-io/jetstream";
import { streamOf } from "@nightjar/stage";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { streamBytes } from "./disk.ts";
import { nextPurge } from "./room.ts";
import { hasIssue, startBus, TestBus } from "./testing.ts";

const BUDGET_BYTES = 64 * 1024 ** 2;
const LARGE = new Uint8Array(900_000);
/** So small that a stream can be filled to within a percent. */
const SMALL = new Uint8Array(50_000);
/** What the server stores beside a message: its subject, sequence, time and checksum. */
const OVERHEAD_BYTES = 100;
/** More than what is called full, less than what is refused. */
const NEARLY_FULL = 0.95;

/** Reads and acknowledges all that RAW holds; returns how many messages there were. */
async function drain(bus: TestBus): Promise<number> {
  const reader = await jetstream(await bus.connect("enricher")).consumers.get("RAW", "enricher");
  for (let count = 0; ; count++) {
    const message = await reader.next({ expires: 1_000 });
    if (!message) return count;
    message.ack();
  }
}

test("the lowest severity goes first, and what is unknown before it", (t) => {
  const counts = { "nightjar.detections.critical": 9, "nightjar.detections.notice": 4, "nightjar.detections.debug": 0 };
  t.deepEqual(nextPurge(counts), { subject: "nightjar.detections.notice", keep: 2 });
  t.deepEqual(nextPurge({ ...counts, "nightjar.detections.odd": 1 }), { subject: "nightjar.detections.odd", keep: 0 });
  t.is(nextPurge({}), undefined);
});

test("detections make room: the worst stay", async (t) => {
  const bus = await startBus(t, { NIGHTJAR_BUS_DISK_BYTES: String(BUDGET_BYTES) });
  const js = jetstream(await bus.connect("rule-engine"));
  const room = streamBytes([streamOf("DETECTIONS")], BUDGET_BYTES).get("DETECTIONS") ?? 0;
  await js.publish("nightjar.detections.critical", SMALL);
  const count = Math.floor((room * NEARLY_FULL) / (SMALL.length + OVERHEAD_BYTES)) - 1;
  for (let index = 0; index < count; index++) await js.publish("nightjar.detections.debug", SMALL);
  const operator = await bus.connect("operator");
  const status = await bus.until(operator, "detections are purged", ({ counters }) => counters.purged_messages !== 0n);
  t.true(hasIssue(status, "STREAM_FULL"));
  const { state } = await (await bus.manager()).streams.info("DETECTIONS", { subjects_filter: ">" });
  t.is(state.subjects?.["nightjar.detections.critical"], 1);
  t.is(BigInt(state.subjects?.["nightjar.detections.debug"] ?? 0) + status.counters.purged_messages!, BigInt(count));
  await bus.until(operator, "the issue is resolved", (one) => !hasIssue(one, "STREAM_FULL"));
});

test("a full queue refuses and is an issue until it is read", async (t) => {
  const bus = await startBus(t, { NIGHTJAR_BUS_DISK_BYTES: String(BUDGET_BYTES) });
  const js = jetstream(await bus.connect("collector"));
  await t.throwsAsync(
    (async () => {
      for (;;) await js.publish("nightjar.raw", LARGE);
    })(),
    { message: /maximum bytes exceeded/ },
  );
  const operator = await bus.connect("operator");
  const full = await bus.until(operator, "the issue is open", (status) => hasIssue(status, "STREAM_FULL"));
  t.is(full.counters.purged_messages, 0n);
  const stored = full.counters.RAW_stored_messages;
  await bus.until(operator, "the lag is told", ({ counters }) => counters.RAW_pending === stored);
  t.is(await drain(bus), Number(stored));
  await bus.until(operator, "it is empty and the issue resolved", (status) => {
    return status.counters.RAW_stored_messages === 0n && !hasIssue(status, "STREAM_FULL");
  });
  t.is((await js.publish("nightjar.raw", "again")).duplicate, false);
});

const DISK_MIB = 120;

test("a disk that is full to the last byte is an issue, and all goes on when there is room", async (t) => {
  const stateDir = temporaryFolder(t);
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", stateDir]);
  // Without root there is no small disk to fill.
  if (mount.status !== 0) return t.pass();
  t.teardown(() => spawnSync("umount", ["--lazy", stateDir]));
  const bus = new TestBus(t, { NIGHTJAR_BUS_DISK_BYTES: String(1024 ** 3) }, stateDir);
  await bus.ready();
  const operator = await bus.connect("operator");
  const js = jetstream(await bus.connect("collector"));
  let stored = 0;
  await t.throwsAsync(
    (async () => {
      for (; ; stored++) await js.publish("nightjar.raw", LARGE, { timeout: 2_000 });
    })(),
  );
  const restarted = await bus.until(operator, "it is started anew", ({ counters }) => counters.server_restarts === 1n);
  t.true(hasIssue(restarted, "DISK_FULL"));
  const refusal = await t.throwsAsync(js.publish("nightjar.raw", LARGE, { retries: 3 }));
  t.regex(refusal?.message ?? "", /maximum bytes exceeded/);
  t.is(await drain(bus), stored);
  await bus.until(operator, "it is empty", ({ counters }) => counters.RAW_stored_messages === 0n);
  await waitFor(() => js.publish("nightjar.raw", "again"), { what: "there is room again" });
  const { config } = await (await bus.manager()).streams.info("RAW");
  t.true(config.max_bytes > DISK_MIB * 1024 ** 2, "it has its size back");
});
