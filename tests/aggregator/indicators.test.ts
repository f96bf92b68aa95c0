// What processes run, ask for and connect to goes to the uplink once; its answer comes back as a detection of them.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import {
  type Detection,
  DetectionBatchSchema,
  Disposition,
  IndicatorBatchSchema,
  IndicatorKind,
  InterestSchema,
  VerdictBatchSchema,
} from "@nightjar/proto";
import { removePinsOf } from "@nightjar/stage";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { kernelTest } from "../events/support/kernel.ts";
import { bpffs } from "../events/support/pins.ts";
import { startBus, type TestBus } from "../harness/bus.ts";

const TIMEOUT_MS = 60_000;
const service = (name: string) => fileURLToPath(new URL(`../../services/${name}/src/main.ts`, import.meta.url));

/** Plays the uplink: what it was asked, and what it answers. */
class Uplink {
  readonly asked = new Map<string, number>();
  readonly detections: Detection[] = [];
  readonly #js: JetStreamClient;
  #answers = 0;

  constructor(js: JetStreamClient) {
    this.#js = js;
  }

  async follow(): Promise<void> {
    const indicators = await (await this.#js.consumers.get("INDICATORS", "uplink")).consume();
    void (async () => {
      for await (const message of indicators) {
        for (const { kind, value } of fromBinary(IndicatorBatchSchema, message.data).indicators) {
          this.asked.set(`${kind}:${value}`, (this.asked.get(`${kind}:${value}`) ?? 0) + 1);
        }
        message.ack();
      }
    })();
    const detections = await (await this.#js.consumers.get("DETECTIONS", "uplink")).consume();
    void (async () => {
      for await (const message of detections) {
        this.detections.push(...fromBinary(DetectionBatchSchema, message.data).detections);
        message.ack();
      }
    })();
  }

  async answer(kind: IndicatorKind, value: string): Promise<void> {
    const verdict = { indicator: { kind, value }, disposition: Disposition.MALICIOUS, source: "test", confidence: 80 };
    const bytes = toBinary(VerdictBatchSchema, create(VerdictBatchSchema, { verdicts: [verdict] }));
    await this.#js.publish("nightjar.verdicts", bytes, { msgID: `answer-${this.#answers++}` });
  }
}

/** Everything from the kernel to the aggregator, and nobody's rules. */
async function startStages(
  t: ExecutionContext,
): Promise<{ bus: TestBus; uplink: Uplink; restart: () => Promise<void> }> {
  const place = bpffs(t);
  const bus = await startBus(t);
  t.teardown(() => removePinsOf(place, bus.stateDir));
  const interest = toBinary(InterestSchema, create(InterestSchema, { stage: "rule-engine" }));
  await jetstream(await bus.connect("rule-engine")).publish("nightjar.interest.rule-engine", interest);
  const isReady = (name: "aggregator" | "enricher" | "collector") =>
    waitFor(async () => (await bus.status(name))?.ready, { what: `${name} is ready`, timeoutMs: TIMEOUT_MS });
  let aggregator = bus.startStage(service("aggregator"));
  bus.startStage(service("enricher"));
  bus.startStage(service("collector"), { NIGHTJAR_COLLECTOR_BPFFS: place });
  for (const name of ["aggregator", "enricher", "collector"] as const) await isReady(name);
  const uplink = new Uplink(jetstream(await bus.connect("uplink")));
  await uplink.follow();
  const restart = async () => {
    aggregator.signal("SIGKILL");
    await aggregator.exited;
    aggregator = bus.startStage(service("aggregator"));
    await isReady("aggregator");
  };
  return { bus, uplink, restart };
}

const RESOLVE = `
const { Resolver } = require("node:dns");
const resolver = new Resolver({ timeout: 100, tries: 1 });
resolver.setServers(["127.0.0.1"]);
resolver.resolve4("www.evil.example", () => process.exit(0));
`;

kernelTest("a file, an address and a domain are asked for once, and a bad answer names who showed them", async (t) => {
  t.timeout(4 * TIMEOUT_MS);
  const { bus, uplink, restart } = await startStages(t);
  const folder = temporaryFolder(t);
  const program = join(folder, "evil");
  // Nobody else on this machine has this file.
  const bytes = Buffer.concat([readFileSync("/bin/true"), Buffer.from(folder)]);
  writeFileSync(program, bytes, { mode: 0o755 });
  const digest = createHash("sha256").update(bytes).digest("hex");
  const shown = [
    [IndicatorKind.FILE_SHA256, digest, "Malicious file loaded"],
    [IndicatorKind.ADDRESS, "203.0.113.77", "Connection to malicious address"],
    [IndicatorKind.DOMAIN, "www.evil.example", "Malicious domain asked for"],
  ] as const;
  const deed = `"${program}"; "${program}"; (exec 3<>/dev/tcp/203.0.113.77/81) 2>/dev/null; "$0" -e '${RESOLVE}'; true`;
  await startProcess(t, "bash", ["-c", deed, process.execPath]).exited;
  const explain = () => JSON.stringify([...uplink.asked.keys()]);
  for (const [kind, value] of shown) {
    const what = `${value} is asked for`;
    await waitFor(() => uplink.asked.get(`${kind}:${value}`), { what, timeoutMs: TIMEOUT_MS, explain });
  }
  // The answer comes to another process than that which asked.
  await restart();
  for (const [kind, value, rule] of shown) {
    await uplink.answer(kind, value);
    const of = () => uplink.detections.findLast((one) => one.fields["threat.indicator.name"] === value);
    const detection = await waitFor(of, { what: `${value} is detected`, timeoutMs: TIMEOUT_MS });
    t.is(detection.rule, rule);
    t.true(
      detection.processes.some(({ pid }) => pid === process.pid),
      "the line of processes leads to this test",
    );
    t.not(detection.event, undefined);
  }
  const files = uplink.detections.findLast(({ rule }) => rule === "Malicious file loaded");
  t.is(files?.count, 2n, "it ran twice");
  t.is(files?.correlated.length, 1);
  const asked = new Map(uplink.asked);
  await startProcess(t, program, []).exited;
  await waitFor(() => uplink.detections.some(({ revision }) => revision === 3), {
    what: "a later process is a revision",
    timeoutMs: TIMEOUT_MS,
  });
  t.is(uplink.asked.get(`${IndicatorKind.FILE_SHA256}:${digest}`), asked.get(`${IndicatorKind.FILE_SHA256}:${digest}`));
  t.is(asked.get(`${IndicatorKind.FILE_SHA256}:${digest}`), 1);
  const codes = (await bus.status("aggregator"))?.healthIssues.map(({ code }) => code);
  // That it was killed is told for the first minute.
  t.deepEqual(
    codes?.filter((code) => code !== "STAGE_CRASHED"),
    [],
  );
});
