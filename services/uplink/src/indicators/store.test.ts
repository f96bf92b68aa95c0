// The memory of look-ups on a real disk: what an outage deletes and when, what is forgotten, what a restart keeps.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Disposition, VerdictSchema } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import type { LookUpStore } from "./store.ts";
import { sweep } from "./sweep.ts";
import { domain, HOUR_MS, MINUTE_MS, openStore } from "./testing.ts";

const never = () => false;

async function answerAll(store: LookUpStore): Promise<void> {
  const asked = await store.next(1_000);
  const verdicts = asked.map(({ indicator }) => create(VerdictSchema, { indicator, disposition: Disposition.UNKNOWN }));
  await store.answer(asked, verdicts, 1n);
}

/** A memory with one answer and one question, an outage ago; what a sweep told, in order. */
async function afterOutage(t: ExecutionContext, outageMs: number) {
  let now = Date.parse("2026-06-01T00:00:00Z");
  const store = await openStore(temporaryFolder(t), { clock: () => now });
  t.teardown(() => store.close());
  await store.take([domain("answered")], never);
  await answerAll(store);
  await store.take([domain("waits")], never);
  now += outageMs;
  const told: string[] = [];
  const run = () =>
    sweep({
      store,
      staleMs: 24 * HOUR_MS,
      clock: () => now,
      purged: async () => void told.push(`purged, ${store.entries} left`),
      told: (count) => void told.push(`${count} deleted`),
    });
  await run();
  return { store, told, run, advance: (ms: number) => (now += ms) };
}

test("23 h 59 min without the portal: all is kept", async (t) => {
  const { store, told } = await afterOutage(t, 24 * HOUR_MS - MINUTE_MS);
  t.deepEqual([store.entries, store.waiting, told], [2, 1, []]);
});

test("24 h 1 min without the portal: questions, answers and the memory of both are gone", async (t) => {
  const { store, told } = await afterOutage(t, 24 * HOUR_MS + MINUTE_MS);
  t.deepEqual([store.entries, store.waiting], [0, 0]);
  t.deepEqual(told, ["purged, 2 left", "2 deleted"], "said before it is done, so that a crash leaves nothing unsaid");
  t.deepEqual(await store.take([domain("answered")], never), [], "the next sight asks anew");
  t.deepEqual(
    (await store.next(10)).map(({ indicator }) => indicator.value),
    ["answered.example"],
  );
});

test("what is collected after the purge has a day of its own, though the portal is still away", async (t) => {
  const { store, told, run, advance } = await afterOutage(t, 24 * HOUR_MS + MINUTE_MS);
  await store.take([domain("new")], never);
  advance(24 * HOUR_MS - MINUTE_MS);
  await run();
  t.is(store.waiting, 1);
  advance(MINUTE_MS);
  await run();
  t.is(store.waiting, 0);
  t.is(told.length, 4);
});

test("a portal that is heard and does not answer look-ups: questions alone end, after a day each", async (t) => {
  const { store, told, run, advance } = await afterOutage(t, 23 * HOUR_MS);
  await store.setContact();
  await store.take([domain("later")], never);
  advance(HOUR_MS + MINUTE_MS);
  await run();
  t.deepEqual(told, ["1 deleted"]);
  t.deepEqual(
    (await store.next(10)).map(({ indicator }) => indicator.value),
    ["later.example"],
  );
  t.is(store.entries, 2, "the answer is kept");
});

test("a restart keeps questions, answers, the contact and the generation", async (t) => {
  const folder = temporaryFolder(t);
  let now = 1_000_000;
  const first = await openStore(folder, { clock: () => now });
  await first.take([domain("answered")], never);
  await answerAll(first);
  await first.recheck([], 7n);
  await first.take([domain("waits")], never);
  now += HOUR_MS;
  await first.close();
  const second = await openStore(folder, { clock: () => now });
  t.teardown(() => second.close());
  t.deepEqual([second.entries, second.waiting, second.contactAtMs, second.generation], [2, 1, 1_000_000, 7n]);
  t.is((await second.take([domain("answered")], never)).length, 1);
  await second.take([domain("also-waits")], never);
  const order = (await second.next(10)).map(({ indicator }) => indicator.value);
  t.deepEqual(order, ["waits.example", "also-waits.example"]);
});

test("what was not seen for long is forgotten, and of too many those seen longest ago", async (t) => {
  let now = 1_000_000_000;
  const store = await openStore(temporaryFolder(t), { clock: () => now });
  t.teardown(() => store.close());
  for (let at = 0; at < 10; at++) {
    await store.take([domain(`seen-${at}`)], never);
    now += HOUR_MS;
  }
  t.is(await store.deleteSeenBefore(now - 8 * HOUR_MS, 100), 2);
  t.is(await store.deleteSeenBefore(0, 5), 3);
  t.deepEqual(
    (await store.next(10)).map(({ indicator }) => indicator.value),
    [5, 6, 7, 8, 9].map((at) => `seen-${at}.example`),
  );
  t.deepEqual([store.entries, store.waiting], [5, 5]);
});

test("a memory that cannot be read is begun anew, and said", async (t) => {
  const folder = join(temporaryFolder(t), "indicators");
  mkdirSync(folder);
  writeFileSync(join(folder, "CURRENT"), "no line");
  const told: unknown[] = [];
  const store = await openStore(folder, { broken: (error) => void told.push(error) });
  t.teardown(() => store.close());
  t.is(told.length, 1);
  await store.take([domain("a")], never);
  t.is(store.waiting, 1);
});
