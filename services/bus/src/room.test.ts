// Tests what happens when streams are full: detections of low severity make room, the others refuse, all of it is said.
import { jetstream } from "@nats-io/jetstream";
import { streamOf } from "@nightjar/stage";
import test from "ava";
import { streamBytes } from "./disk.ts";
import { nextPurge } from "./room.ts";
import { hasIssue, startBus } from "./testing.ts";

const BUDGET_BYTES = 64 * 1024 ** 2;
const LARGE = new Uint8Array(900_000);

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
  await js.publish("nightjar.detections.critical", LARGE);
  const count = Math.floor(room / (LARGE.length + 100)) - 1;
  for (let index = 0; index < count; index++) await js.publish("nightjar.detections.debug", LARGE);
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
  const stored = Number(full.counters.RAW_stored_messages);
  t.is(Number(full.counters.RAW_pending), stored);
  const reader = await jetstream(await bus.connect("enricher")).consumers.get("RAW", "enricher");
  const messages = await reader.fetch({ max_messages: stored, expires: 5_000 });
  for await (const message of messages) message.ack();
  await bus.until(operator, "it is empty and the issue resolved", (status) => {
    return status.counters.RAW_stored_messages === 0n && !hasIssue(status, "STREAM_FULL");
  });
  t.is((await js.publish("nightjar.raw", "again")).duplicate, false);
});
