// What only a folding holder wants is told once a key and window; what anyone else wants comes each time. Tried on the
// probe, and on a collector that hears of it on the bus.
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { jetstream } from "@nats-io/jetstream";
import { BatchSchema, EVERY_CLASS, type Event, InterestSchema, TypeInterestSchema, wholeType } from "@nightjar/proto";
import { removePinsOf } from "@nightjar/stage";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed, Deed } from "../events/support/deed.ts";
import { balances, idsOf, kernelTest, type TypeName, type Watch, watchKernel } from "../events/support/kernel.ts";
import { bpffs } from "../events/support/pins.ts";
import { startBus } from "../harness/bus.ts";

const COLLECTOR = fileURLToPath(new URL("../../services/collector/src/main.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const idOf = (name: TypeName) => idsOf([name])[0] as number;
const [CONNECT, ACCEPT, OPEN, EXIT] = [idOf("connect"), idOf("accept"), idOf("open"), idOf("exit")];
const TIMES = 5;

const IPV4 = "2";

const interestIn = (...types: MessageInitShape<typeof TypeInterestSchema>[]) =>
  new Map(types.map((type) => [type.eventType ?? 0, create(TypeInterestSchema, type)]));

class Trial {
  readonly watch: Watch;
  readonly deed: Deed;
  readonly #folder: string;

  constructor(t: ExecutionContext, types: MessageInitShape<typeof TypeInterestSchema>[], windowS?: number) {
    this.watch = watchKernel(t, { types: ["connect", "accept", "open", "exit"] });
    this.watch.probe.setInterest(new Map([...interestIn(...types), [EXIT, wholeType(EXIT)]]));
    if (windowS !== undefined) this.watch.probe.setFoldWindow(windowS);
    this.deed = compileDeed(t, import.meta.dirname);
    this.#folder = temporaryFolder(t);
  }

  /** What came of the deeds, each done several times. */
  async do(deeds: readonly string[][], deed = this.deed): Promise<Event[]> {
    const script = join(this.#folder, "script");
    const lines = deeds.flatMap((words) => new Array(TIMES).fill(words.join("\t")));
    writeFileSync(script, `${lines.join("\n")}\n`);
    const { pid } = deed.do([script]);
    await this.watch.ended(pid);
    return this.watch.events.filter((event) => event.pid === pid && event.data.case !== "exit");
  }

  /** The same program as another file. */
  another(name: string): Deed {
    const path = join(this.#folder, name);
    copyFileSync(this.deed.path, path);
    return new Deed(path);
  }
}

const connectsOf = (events: readonly Event[]) =>
  events.flatMap(({ data }) => (data.case === "connect" ? [data.value.remote?.port] : []));

kernelTest(
  "a connect comes once for each program and peer, and what is filtered by a port comes each time",
  async (t) => {
    const trial = new Trial(t, [
      { eventType: CONNECT, folded: EVERY_CLASS, remotePorts: [{ classes: EVERY_CLASS, port: 53 }] },
    ]);
    const before = trial.watch.ledger("connect").folded;
    const deeds = [9, 53, 443].map((port) => ["connect", IPV4, String(port)]);
    t.deepEqual(connectsOf(await trial.do(deeds)), [9, ...new Array(TIMES).fill(53), 443]);
    t.deepEqual(connectsOf(await trial.do(deeds)), new Array(TIMES).fill(53), "another process of the same program");
    t.deepEqual(connectsOf(await trial.do([["connect", IPV4, "9"]], trial.another("other"))), [9]);
    t.deepEqual(connectsOf(await trial.do([["connect", "10", "9"]])), [9], "another address");
    const ledger = trial.watch.ledger("connect");
    t.true(ledger.folded - before >= BigInt(6 * TIMES - 4));
    t.true(balances(ledger), trial.watch.explain());
  },
);

kernelTest("an accept comes once for each program, service and peer, a failed one for itself", async (t) => {
  const trial = new Trial(t, [{ eventType: ACCEPT, folded: EVERY_CLASS }]);
  const events = await trial.do([
    ["accept", IPV4, "80"],
    ["accept", IPV4, "81"],
  ]);
  const told = events.map(({ data, result }) => [
    result >= 0n,
    data.case === "accept" ? data.value.descriptor?.local?.port : undefined,
  ]);
  t.deepEqual(told, [
    [true, 80],
    [false, 80],
    [true, 81],
    [false, 81],
  ]);
  t.true(balances(trial.watch.ledger("accept")));
});

kernelTest("when the window is over it comes again", async (t) => {
  const trial = new Trial(t, [{ eventType: CONNECT, folded: EVERY_CLASS }], 1);
  const again = () => trial.do([["connect", IPV4, "9"]]);
  t.deepEqual(connectsOf(await again()), [9]);
  await waitFor(async () => connectsOf(await again()).length > 0, { what: "it is told again" });
  t.true(trial.watch.ledger("connect").folded > 0n);
});

kernelTest("what a program cannot fold comes each time", async (t) => {
  const trial = new Trial(t, [{ eventType: OPEN, folded: EVERY_CLASS }]);
  const path = join(temporaryFolder(t), "none");
  const events = await trial.do([["open", path, "0", "-"]]);
  const ours = events.filter(
    ({ data }) => data.case === "open" && Buffer.from(data.value.requested).equals(Buffer.from(path)),
  );
  t.is(ours.length, TIMES);
});

kernelTest("a collector folds what a holder on the bus wants folded", async (t) => {
  t.timeout(180_000);
  const place = bpffs(t);
  const bus = await startBus(t);
  t.teardown(() => {
    removePinsOf(place, bus.stateDir);
  });
  const say = (interest: MessageInitShape<typeof InterestSchema>) =>
    toBinary(InterestSchema, create(InterestSchema, interest));
  for (const stage of ["rule-engine", "enricher", "aggregator"] as const) {
    const js = jetstream(await bus.connect(stage));
    await js.publish(`nightjar.interest.${stage}`, say({ stage, eventTypes: stage === "enricher" ? [EXIT] : [] }));
  }
  const collector = bus.startStage(COLLECTOR, { NIGHTJAR_COLLECTOR_BPFFS: place });
  await waitFor(async () => (await bus.status("collector"))?.ready, {
    what: "the collector is ready",
    timeoutMs: START_TIMEOUT_MS,
    explain: () => collector.stderr.slice(-2_000),
  });
  const operator = await bus.connect("operator");
  const events: Event[] = [];
  operator.subscribe("nightjar.raw", {
    callback: (_, { data }) => void events.push(...fromBinary(BatchSchema, data).events),
  });
  const types = [create(TypeInterestSchema, { eventType: CONNECT, folded: EVERY_CLASS })];
  operator.publish("nightjar.interest.operator.test", say({ stage: "test", eventTypes: [CONNECT], types }));
  const facts = async () => (await bus.status("collector"))?.facts ?? {};
  await waitFor(async () => (await facts())["interest.operator.test"], { what: "the collector knows the holder" });
  t.is((await facts())["interest.operator.test"], "test: connect (folded)");

  const deed = compileDeed(t, import.meta.dirname);
  const script = join(temporaryFolder(t), "script");
  writeFileSync(script, "connect\t2\t9\n".repeat(TIMES));
  const { pid } = deed.do([script]);
  await waitFor(() => events.some((event) => event.pid === pid && event.data.case === "exit"), { what: "it is told" });
  t.is(events.filter((event) => event.pid === pid && event.data.case === "connect").length, 1);
  const ledger = (await bus.status("collector"))?.ledger.find(({ type }) => type === CONNECT);
  t.true((ledger?.folded ?? 0n) >= BigInt(TIMES - 1));
  const drops = ledger?.drops.reduce((sum, { count }) => sum + count, 0n) ?? 0n;
  t.is(ledger?.seen, (ledger?.filtered ?? 0n) + (ledger?.folded ?? 0n) + (ledger?.submitted ?? 0n) + drops);
});
