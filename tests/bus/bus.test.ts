// What a stage is promised by the bus: each message at least once, in order, though the server dies or it does itself.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jetstream } from "@nats-io/jetstream";
import type { StageStatus } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { startBus, type TestBus } from "../harness/bus.ts";

const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));
const READER = fileURLToPath(new URL("reader.ts", import.meta.url));
const MESSAGES = 5_000;
/** When so many have been handled, the server is killed. */
const KILLS_AT = [500, 2_000, 3_500];
const HANDLED_TIMEOUT_MS = 30_000;
const CRASHES_MAX = 3;
const EXIT_BUG = 1;

const folderOf = (bus: TestBus) => statePaths.folder(bus.stateDir, "enricher");

/** What the reader handled, in order, what came again too. */
function handled(bus: TestBus): string[] {
  try {
    return readFileSync(join(folderOf(bus), "handled"), "utf8")
      .trim()
      .split("\n");
  } catch {
    return [];
  }
}

/** What stands in EVENTS, in order: its reader takes it all and acknowledges it. */
async function takeEvents(bus: TestBus, count: number): Promise<string[]> {
  const consumer = await jetstream(await bus.connect("rule-engine")).consumers.get("EVENTS", "rule-engine");
  const texts: string[] = [];
  while (texts.length < count) {
    for await (const message of await consumer.fetch({ max_messages: 200, expires: 2_000 })) {
      texts.push(message.string());
      message.ack();
    }
  }
  return texts;
}

const numbers = Array.from({ length: MESSAGES }, (_, number) => String(number));

test("the server is killed again and again: all is stored, handled and passed on, in order", async (t) => {
  const bus = await startBus(t);
  const reader = bus.startStage(READER);
  const writer = bus.startStage(WRITER, { WRITER_MESSAGES: String(MESSAGES) });
  const explain = () => `${reader.stderr.slice(-2_000)}\n${writer.stderr.slice(-2_000)}\n${handled(bus).length}`;
  for (const count of KILLS_AT) {
    await waitFor(() => handled(bus).length >= count, { what: `${count} are handled`, explain });
    await waitFor(() => bus.killServer(), { what: "the server is killed" });
  }
  await writer.line(/all is stored/, { timeoutMs: HANDLED_TIMEOUT_MS, explain });
  const all = await waitFor(
    () => {
      const lines = handled(bus);
      return new Set(lines).size >= MESSAGES ? lines : undefined;
    },
    { what: "all are handled", timeoutMs: HANDLED_TIMEOUT_MS, explain },
  );
  t.log(`${all.length - MESSAGES} of ${MESSAGES} came again`);
  t.deepEqual([...new Set(all)], numbers, "each for the first time when all before it had come");
  t.deepEqual(await takeEvents(bus, MESSAGES), numbers, "each once, by its id");
  t.true(reader.running && writer.running);
});

test("garbage is counted, kept aside and acknowledged", async (t) => {
  const bus = await startBus(t);
  const reader = bus.startStage(READER);
  const raw = jetstream(await bus.connect("collector"));
  for (const text of ["1", "garbage", "2"]) await raw.publish("nightjar.raw", text);
  await waitFor(() => handled(bus).includes("2"), { what: "the message behind it is handled" });
  const status = await waitFor(() => bus.status("enricher"), { what: "the stage answers" });
  t.is(Number(status.counters.garbage), 1);
  t.true(issuesOf(status).includes("GARBAGE"));
  const [kept = "", ...others] = readdirSync(join(folderOf(bus), "garbage"));
  t.deepEqual(others, []);
  t.is(readFileSync(join(folderOf(bus), "garbage", kept), "utf8"), "garbage");
  const empty = async () => Number((await bus.status("bus"))?.counters.RAW_stored_messages) === 0;
  await waitFor(empty, { what: "RAW is empty" });
  t.true(reader.running);
});

test("a message that ends the stage again and again is passed over, and the stage goes on", async (t) => {
  const bus = await startBus(t);
  const raw = jetstream(await bus.connect("collector"));
  for (const text of ["1", "poison", "2", "3"]) await raw.publish("nightjar.raw", text);
  for (let crash = 0; crash < CRASHES_MAX; crash++) {
    const reader = bus.startStage(READER);
    t.deepEqual(await reader.exited, { code: EXIT_BUG, signal: null });
    t.regex(reader.stderr, /a bug that this message meets/);
  }
  const reader = bus.startStage(READER);
  const passedOver = async () => issuesOf(await bus.status("enricher")).includes("POISON");
  await waitFor(passedOver, { what: "the message is passed over", explain: () => reader.stderr });
  await raw.publish("nightjar.raw", "4");
  await waitFor(() => handled(bus).includes("4"), { what: "what comes then is handled" });
  const [kept = ""] = readdirSync(join(folderOf(bus), "garbage"));
  t.is(readFileSync(join(folderOf(bus), "garbage", kept), "utf8"), "poison");
  t.deepEqual([...new Set(handled(bus))], ["1", "2", "3", "4"]);
  t.true(reader.running);
});

function issuesOf(status: StageStatus | undefined): string[] {
  return (status?.healthIssues ?? []).map(({ code }) => code);
}
