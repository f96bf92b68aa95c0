// Kills the collector, again and again under load: the ring it leaves behind goes on filling, and nothing is lost.
import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { type Consumer, jetstream } from "@nats-io/jetstream";
import { RangeSet, sourceIdOf } from "@nightjar/events";
import { BatchSchema, DropReason, type LedgerEntry } from "@nightjar/proto";
import { pinPaths, removePinsOf } from "@nightjar/stage";
import { moment, startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { bpffs, idsOf } from "../events/support/pins.ts";
import { startBus, type TestBus } from "../harness/bus.ts";
import { whyNoKernel } from "../harness/sensor.ts";

const COLLECTOR = fileURLToPath(new URL("../../services/collector/src/main.ts", import.meta.url));
const KILLS = 50;
/** From the start of a collector to its end: some are still on their way to the ring then. */
const LIFE_MS_MAX = 1_500;
const OPENS_PER_SECOND = 1_000;
const RING_BYTES = 64 * 1024 * 1024;
const RING_BYTES_SMALL = 64 * 1024;
/** More than that ring holds. */
const DEEDS = 3_000;
const SETTLE_TIMEOUT_MS = 120_000;
const [OPEN] = idsOf(["open"]);

const reason = whyNoKernel();
const run = reason ? test.serial.skip : test.serial;
const why = reason ? ` (${reason})` : "";

/** Opens files whose names number them, so that each deed is its own witness. */
const LOAD = `
const fs = require("node:fs");
const [, folder, perSecond] = process.argv;
let made = 0;
const turn = setInterval(() => {
  for (let i = 0; i < perSecond / 50; i++) {
    const file = folder + "/n" + made++;
    fs.closeSync(fs.openSync(file, "w"));
    fs.unlinkSync(file);
  }
}, 20);
process.stdin.on("data", () => { clearInterval(turn); console.log("made " + made); process.exit(0); });
console.log("running");
`;

/** Reads RAW as the enricher would: what it has by position it passes over. */
class Witness {
  /** How often each path came. */
  readonly paths = new Map<string, number>();
  /** By ring: events of the type open, and their account as it was told last. */
  readonly rings = new Map<string, { opens: number; ledger: LedgerEntry | undefined }>();
  repeated = 0;
  readonly processed = new RangeSet();

  static async start(t: ExecutionContext, bus: TestBus): Promise<Witness> {
    // Before the clean-up is registered, so that the connection is there for as long as the witness reads.
    const connection = await bus.connect("enricher");
    return new Witness(t, await jetstream(connection).consumers.get("RAW", "enricher"));
  }

  private constructor(t: ExecutionContext, consumer: Consumer) {
    const stopping = new AbortController();
    const reading = this.#read(consumer, stopping.signal);
    t.teardown(async () => {
      stopping.abort();
      await reading;
    });
  }

  async #read(consumer: Consumer, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for await (const message of await consumer.fetch({ max_messages: 64, expires: 1_000 })) {
        this.#take(message.data);
        message.ack();
      }
    }
  }

  #take(bytes: Uint8Array): void {
    const batch = fromBinary(BatchSchema, bytes);
    const source = sourceIdOf(batch.bootId, batch.epoch);
    const ring = this.rings.get(source) ?? { opens: 0, ledger: undefined };
    this.rings.set(source, ring);
    for (const { position, data } of batch.events) {
      if (this.processed.includes(source, Number(position))) this.repeated++;
      else if (data.case === "open") {
        ring.opens++;
        const path = Buffer.from(data.value.path).toString();
        this.paths.set(path, (this.paths.get(path) ?? 0) + 1);
      }
    }
    ring.ledger = batch.ledger.find(({ type }) => type === OPEN) ?? ring.ledger;
    this.processed.add({ source, first: Number(batch.firstPosition), next: Number(batch.nextPosition) });
  }
}

/** A bus and what a collector needs; nothing stays pinned when the test is over. */
async function setUp(t: ExecutionContext, ringBytes: number) {
  const place = bpffs(t);
  const bus = await startBus(t);
  t.teardown(() => {
    removePinsOf(place, bus.stateDir);
  });
  const env = { NIGHTJAR_COLLECTOR_BPFFS: place, NIGHTJAR_COLLECTOR_RING_BYTES: String(ringBytes) };
  const start = () => bus.startStage(COLLECTOR, env);
  return { bus, start, place, witness: await Witness.start(t, bus) };
}

async function ready(collector: TestProcess): Promise<TestProcess> {
  await collector.line(/"message":"collector is ready"/, { timeoutMs: 60_000 });
  return collector;
}

async function ledgerOf(bus: TestBus): Promise<LedgerEntry | undefined> {
  return (await bus.status("collector"))?.ledger.find(({ type }) => type === OPEN);
}

run(`kill -9 of the collector, ${KILLS} times under load: nothing lost, nothing twice${why}`, async (t) => {
  t.timeout(10 * 60_000);
  const { bus, start, witness } = await setUp(t, RING_BYTES);
  const folder = temporaryFolder(t);
  // From its first attachment on.
  await kill(await ready(start()));
  const load = startProcess(t, process.execPath, ["-e", LOAD, folder, String(OPENS_PER_SECOND)]);
  await load.line(/running/);
  for (let kills = 1; kills < KILLS; kills++) {
    const collector = start();
    // Half of them die while they read, the others mostly while they start.
    if (kills % 2 === 0) await ready(collector);
    await moment(Math.random() * LIFE_MS_MAX);
    await kill(collector);
  }
  load.stdin.write("stop\n");
  const made = Number((await load.line(/made (\d+)/))[1]);
  await ready(start());

  const last = join(folder, `n${made - 1}`);
  await waitFor(() => witness.paths.has(last), { what: "the last of all comes", timeoutMs: SETTLE_TIMEOUT_MS });
  const ledger = await waitFor(() => ledgerOf(bus), { what: "the collector answers" });
  t.log(`${made} opens; ${witness.repeated} events came more than once`);
  t.is(witness.rings.size, 1);
  const times = Array.from({ length: made }, (_, index) => witness.paths.get(join(folder, `n${index}`)) ?? 0);
  t.is(times.filter((count) => count === 0).length, 0, "nothing is lost");
  t.is(times.filter((count) => count > 1).length, 0, "nothing comes twice");
  t.is(witness.processed.count, 1, "no gap in one ring");
  t.deepEqual(ledger.drops, []);
});

run(`what the ring cannot hold while the collector is away is counted, to the last event${why}`, async (t) => {
  t.timeout(5 * 60_000);
  const { bus, start, place, witness } = await setUp(t, RING_BYTES_SMALL);
  const folder = temporaryFolder(t);
  const path = (index: number) => join(folder, `n${index}`);
  await kill(await ready(start()));
  for (let index = 0; index < DEEDS; index++) closeSync(openSync(path(index), "w"));
  // Links that someone has taken out: the next collector loads anew, and reads the old ring to its end.
  const pins = pinPaths.folder(place, bus.stateDir);
  for (const set of readdirSync(pins)) rmSync(join(pins, set, "links"), { recursive: true, force: true });

  await ready(start());
  const { ledger } = await waitFor(
    () => {
      const [old, young] = [...witness.rings.values()];
      return young && old?.ledger ? { ledger: old.ledger } : undefined;
    },
    { what: "the old ring is drained, and the new one read", timeoutMs: SETTLE_TIMEOUT_MS },
  );
  const times = Array.from({ length: DEEDS }, (_, index) => witness.paths.get(path(index)) ?? 0);
  const missing = times.filter((count) => count === 0).length;
  t.log(`${missing} of ${DEEDS} deeds are missing; ${ledger.seen} opens seen, ${ledger.submitted} submitted`);
  t.is(times.filter((count) => count > 1).length, 0, "nothing comes twice");
  t.true(missing > DEEDS / 2, "the ring was too small");
  const full = ledger.drops.find((drop) => drop.reason === DropReason.RING_FULL)?.count ?? 0n;
  t.true(full >= BigInt(missing), "what is missing is counted");
  const drops = ledger.drops.reduce((sum, drop) => sum + drop.count, 0n);
  t.is(ledger.submitted, BigInt([...witness.rings.values()][0]?.opens ?? -1), "what was submitted has come");
  t.is(ledger.seen, ledger.filtered + ledger.governed + ledger.folded + ledger.submitted + drops);
});

async function kill(collector: TestProcess): Promise<void> {
  collector.signal("SIGKILL");
  await collector.exited;
}
