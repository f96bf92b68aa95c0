// Garbage on a subject is counted and kept aside, no stage crashes, and what comes later is still detected.
import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type JsMsg, jetstream } from "@nats-io/jetstream";
import { BatchReader, readRecording } from "@nightjar/events";
import { BatchSchema, DetectionBatchSchema, ProcessSchema } from "@nightjar/proto";
import { type StageName, statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import fc from "fast-check";
import { attacks } from "../attacks/acts.ts";
import { startBus, type TestBus } from "../harness/bus.ts";

const service = (name: string) => fileURLToPath(new URL(`../../services/${name}/src/main.ts`, import.meta.url));
const RECORDING = fileURLToPath(new URL("../pipeline/attacks.njr", import.meta.url));
const MUTANTS = 300;
const TIMEOUT_MS = 30_000;
const PROCESS_ROW = create(ProcessSchema, {
  pid: 7,
  parent: 1,
  name: Buffer.from("x"),
  userName: "x",
  image: { executable: Buffer.from("/x") },
});

const HEAD = { bootId: new Uint8Array(16).fill(9), epoch: 1n };
const encode = (batch: MessageInitShape<typeof BatchSchema>) => toBinary(BatchSchema, create(BatchSchema, batch));

const GARBAGE: readonly Uint8Array[] = [
  Buffer.from('{"no": "protobuf"}'),
  new Uint8Array(0),
  new Uint8Array(100).fill(0xff),
  new Uint8Array(500_000).fill(0x80),
  encode({ nextPosition: 9n }),
  encode({ ...HEAD, firstPosition: 10n, nextPosition: 9n }),
  Buffer.concat([encode({ ...HEAD, nextPosition: 9n }), Buffer.from([0x7a, 3, 0xff, 0xff, 0xff])]),
];

async function recordedBatches(): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = [];
  for await (const part of readRecording(createReadStream(RECORDING))) batches.push(Uint8Array.from(part));
  return batches;
}

/** Batches as they were recorded, of another source so that no range of the real one is taken, with bytes changed. */
function mutantsOf(batches: readonly Uint8Array[], isEnriched: boolean): Uint8Array[] {
  const sound = batches.map((bytes, index) => {
    const batch = fromBinary(BatchSchema, bytes);
    Object.assign(batch, { ...HEAD, epoch: BigInt(index + 2) });
    if (!isEnriched) return toBinary(BatchSchema, batch);
    const actors = batch.events.map(() => 2);
    return Buffer.concat([toBinary(BatchSchema, batch), encode({ processes: [PROCESS_ROW, PROCESS_ROW], actors })]);
  });
  const mutant = fc
    .tuple(fc.constantFrom(...sound), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }))
    .map(([bytes, changes]) => {
      const changed = Uint8Array.from(bytes);
      // What names the source stays, in the first bytes.
      for (const [place, value] of changes) changed[32 + (place % (changed.length - 32))] = value;
      return changed;
    });
  return fc.sample(mutant, MUTANTS);
}

async function publishAll(bus: TestBus, name: StageName, subject: string, messages: readonly Uint8Array[]) {
  const client = jetstream(await bus.connect(name));
  for (const bytes of messages) await client.publish(subject, bytes);
}

/** The rules that matched events of this source. */
async function rulesMatched(message: JsMsg, source: string): Promise<string[]> {
  const { detections } = fromBinary(DetectionBatchSchema, message.data);
  return detections.filter(({ eventId }) => eventId.startsWith(source)).map(({ rule }) => rule);
}

async function readRules(bus: TestBus, source: string, count: number, explain: () => string): Promise<string[]> {
  const consumer = await jetstream(await bus.connect("uplink")).consumers.get("DETECTIONS", "uplink");
  const rules: string[] = [];
  await waitFor(
    async () => {
      for await (const message of await consumer.fetch({ max_messages: 100, expires: 1_000 })) {
        rules.push(...(await rulesMatched(message, source)));
        message.ack();
      }
      return rules.length >= count;
    },
    { what: "the attacks are detected", timeoutMs: TIMEOUT_MS, explain },
  );
  return rules;
}

test("garbage on RAW and EVENTS is kept aside; the attacks that come later are detected", async (t) => {
  t.timeout(90_000);
  const batches = await recordedBatches();
  const bus = await startBus(t);
  const enricher = bus.startStage(service("enricher"));
  // A mutant may tell an attack's story well enough that the attack itself is a repeat.
  const engine = bus.startStage(service("rule-engine"), { NIGHTJAR_RULE_ENGINE_FOLD_REPEATS: "false" });
  const explain = () => `${enricher.stderr.slice(-3_000)}\n${engine.stderr.slice(-3_000)}`;
  await publishAll(bus, "collector", "nightjar.raw", [...GARBAGE, ...mutantsOf(batches, false)]);
  await publishAll(bus, "enricher", "nightjar.events", [...GARBAGE, ...mutantsOf(batches, true)]);
  const emptied = async () => {
    const { counters = {} } = (await bus.status("bus")) ?? {};
    return ["RAW", "EVENTS"].every((name) => Number(counters[`${name}_stored_messages`]) === 0);
  };
  await waitFor(emptied, { what: "all of it is worked off", timeoutMs: TIMEOUT_MS, explain });

  bus.startStage(service("collector"), { NIGHTJAR_COLLECTOR_REPLAY_FILE: RECORDING });
  const source = new BatchReader(batches[0] as Uint8Array).sourceId;
  const rules = await readRules(bus, source, attacks.length, explain);
  t.deepEqual(rules.sort(), attacks.map(({ rule }) => rule ?? "").sort());

  for (const name of ["enricher", "rule-engine"] as const) {
    const status = await waitFor(() => bus.status(name), { what: `${name} answers` });
    t.true(Number(status.counters.garbage) >= GARBAGE.length, `${name} counted ${status.counters.garbage}`);
    const issues = status.healthIssues.map(({ code }) => code);
    t.true(issues.includes("GARBAGE"));
    t.false(issues.includes("POISON"));
    t.true(readdirSync(join(statePaths.folder(bus.stateDir, name), "garbage")).length > 0);
  }
  t.true(enricher.running && engine.running, explain());
});
