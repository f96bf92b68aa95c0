// A full stream is a health issue of the bus and of who writes to it; it crashes nobody, loses and reorders nothing.
import { fileURLToPath } from "node:url";
import { jetstream } from "@nats-io/jetstream";
import type { StageName } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { startBus, type TestBus } from "../harness/bus.ts";

const WRITER = fileURLToPath(new URL("../bus/writer.ts", import.meta.url));
/** The least that is allowed; RAW gets a part of it. */
const DISK_BYTES = 64 * 1024 * 1024;
const MESSAGE_BYTES = 500_000;
const MESSAGES = 120;
const TIMEOUT_MS = 20_000;

async function isFull(bus: TestBus, stage: StageName): Promise<boolean> {
  const status = await bus.status(stage);
  if (!status) throw new Error(`${stage} does not answer`);
  return status.healthIssues.some(({ code }) => code === "STREAM_FULL");
}

/** Takes everything out of RAW as the enricher would, until it has all. */
async function takeRaw(bus: TestBus): Promise<number[]> {
  const consumer = await jetstream(await bus.connect("enricher")).consumers.get("RAW", "enricher");
  const numbers: number[] = [];
  while (new Set(numbers).size < MESSAGES) {
    for await (const message of await consumer.fetch({ max_messages: 10, expires: 2_000 })) {
      numbers.push(Number(message.string()));
      message.ack();
    }
  }
  return numbers;
}

test("a full stream holds its writer back and is told until it has room again", async (t) => {
  t.timeout(90_000);
  const bus = await startBus(t, { NIGHTJAR_BUS_DISK_BYTES: String(DISK_BYTES) });
  const env = { WRITER_MESSAGES: String(MESSAGES), WRITER_BYTES: String(MESSAGE_BYTES) };
  const writer = bus.startStage(WRITER, env);
  const explain = () => `${writer.stderr.slice(-2_000)}\n${bus.process.stderr.slice(-2_000)}`;
  for (const stage of ["collector", "bus"] as const) {
    await waitFor(() => isFull(bus, stage), { what: `${stage} says so`, timeoutMs: TIMEOUT_MS, explain });
  }
  t.notRegex(writer.stderr, /all is stored/);
  const stored = Number((await bus.status("bus"))?.counters.RAW_stored_messages);
  t.true(stored > 0 && stored < MESSAGES, `${stored} are stored`);

  const numbers = await takeRaw(bus);
  t.deepEqual(
    [...new Set(numbers)],
    Array.from({ length: MESSAGES }, (_, n) => n),
    "all, in order",
  );
  await writer.line(/all is stored/, { timeoutMs: TIMEOUT_MS, explain });
  for (const stage of ["collector", "bus"] as const) {
    const hasRoom = async () => !(await isFull(bus, stage));
    await waitFor(hasRoom, { what: `${stage} has room again`, timeoutMs: TIMEOUT_MS, explain });
  }
  t.true(writer.running && bus.process.running);
});
