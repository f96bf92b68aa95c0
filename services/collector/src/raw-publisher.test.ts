// The ring is released in order and only behind what is stored, whatever the order of the PubAcks.
import test from "ava";
import fc from "fast-check";
import { type Batch, RawPublisher } from "./raw-publisher.ts";
import { fakeStage } from "./testing.ts";

const BATCH_LENGTH = 10;

function batch(index: number): Batch {
  const firstPosition = BigInt(index * BATCH_LENGTH);
  return { bytes: Uint8Array.of(index), firstPosition, nextPosition: firstPosition + BigInt(BATCH_LENGTH), events: 3 };
}

test("publishes in order, each batch under the name of its range", (t) => {
  const { stage, waiting } = fakeStage();
  const publisher = new RawPublisher(stage, "boot:epoch", () => {});
  for (const index of [0, 1, 2]) publisher.publish(batch(index));
  t.deepEqual(
    waiting.map(({ stream, subject, bytes, messageId }) => [stream, subject, bytes[0], messageId]),
    [
      ["RAW", "nightjar.raw", 0, "boot:epoch:0-10"],
      ["RAW", "nightjar.raw", 1, "boot:epoch:10-20"],
      ["RAW", "nightjar.raw", 2, "boot:epoch:20-30"],
    ],
  );
});

test("releases up to the first batch that is not stored, in whatever order they are", async (t) => {
  const orders = fc.integer({ min: 1, max: 12 }).chain((count) =>
    fc.shuffledSubarray(
      Array.from({ length: count }, (_, index) => index),
      { minLength: count },
    ),
  );
  await fc.assert(
    fc.asyncProperty(orders, async (order) => {
      const { stage, waiting, counts } = fakeStage();
      const released: bigint[] = [];
      const publisher = new RawPublisher(stage, "boot:epoch", (position) => released.push(position));
      for (const index of order.keys()) publisher.publish(batch(index));
      const stored = new Set<number>();
      for (const index of order) {
        waiting[index]?.store();
        await Promise.resolve();
        stored.add(index);
        const gap = order.findIndex((_, place) => !stored.has(place));
        const whole = gap === -1 ? order.length : gap;
        t.is(released.at(-1) ?? 0n, BigInt(whole * BATCH_LENGTH));
        t.is(publisher.stored, BigInt(whole * BATCH_LENGTH));
        t.is(publisher.pending, order.length - whole);
      }
      t.deepEqual(
        released,
        [...released].sort((left, right) => Number(left - right)),
      );
      t.is(counts.get("batches_published"), order.length);
      t.is(counts.get("events_published"), order.length * 3);
    }),
  );
});

test("holds back until fewer are pending", async (t) => {
  const { stage, waiting } = fakeStage();
  const publisher = new RawPublisher(stage, "boot:epoch", () => {});
  for (const index of [0, 1, 2]) publisher.publish(batch(index));
  let free = false;
  const held = publisher.fewerThan(2).then(() => {
    free = true;
  });
  // The second is stored before the first, so nothing leaves yet.
  waiting[1]?.store();
  await Promise.resolve();
  t.false(free);
  waiting[0]?.store();
  await held;
  t.is(publisher.pending, 1);
  await publisher.fewerThan(2);
});
