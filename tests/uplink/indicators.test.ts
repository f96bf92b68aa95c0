// Indicators from the bus to a real portal and back, with lists imported as an operator does, before and after a host
// asked, and an uplink that is killed on the way.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { jetstream } from "@nats-io/jetstream";
import { Disposition, IndicatorBatchSchema, IndicatorKind, VerdictBatchSchema } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import { moment, startProcess, type TestProcess, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { startBus, type TestBus } from "../harness/bus.ts";

const program = (path: string) => fileURLToPath(new URL(`../../${path}/src/main.ts`, import.meta.url));
const CLI = program("cli");
const UPLINK = program("services/uplink");
const PORTAL = program("services/portal");
const { MALICIOUS, UNKNOWN } = Disposition;
const TEST_MS_MAX = 180_000;
const WAIT_MS = 60_000;
const KILLS = 5;
const INDICATORS_A_LIFE = 50;
const ALIVE_MS_MAX = 1_500;

interface Host {
  bus: TestBus;
  uplink: TestProcess;
  /** Asks as the aggregator does. */
  ask: (...domains: string[]) => Promise<unknown>;
  /** What the bus was told of a domain, in order. */
  verdictsOf: (domain: string) => Disposition[];
  /** `nightjar portal indicators …` for this host's portal. */
  indicators: (args: readonly string[], input?: string) => Promise<string>;
}

async function startHost(t: ExecutionContext): Promise<Host> {
  const bus = await startBus(t, { NIGHTJAR_UPLINK_HEARTBEAT_INTERVAL_S: "1" });
  bus.startStage(PORTAL);
  await waitFor(() => existsSync(statePaths.portalAddress(bus.stateDir)), { what: "the portal", timeoutMs: WAIT_MS });
  const uplink = bus.startStage(UPLINK);
  const heard = new Map<string, Disposition[]>();
  const operator = await bus.connect("operator");
  operator.subscribe("nightjar.verdicts", {
    callback: (_error, message) => {
      for (const { indicator, disposition } of fromBinary(VerdictBatchSchema, message.data).verdicts) {
        const value = indicator?.value ?? "";
        heard.set(value, [...(heard.get(value) ?? []), disposition]);
      }
    },
  });
  const aggregator = jetstream(await bus.connect("aggregator"));
  const ask = (...domains: string[]) => {
    const indicators = domains.map((value) => ({ kind: IndicatorKind.DOMAIN, value }));
    const batch = create(IndicatorBatchSchema, { indicators });
    return aggregator.publish("nightjar.indicators", toBinary(IndicatorBatchSchema, batch));
  };
  const indicators = async (args: readonly string[], input = "") => {
    const state = ["--state-dir", bus.stateDir];
    const run = startProcess(t, process.execPath, [CLI, "portal", "indicators", ...args, ...state, "--json"]);
    run.stdin.end(input);
    const { code } = await run.exited;
    t.is(code, 0, run.stderr);
    return run.stdout;
  };
  return { bus, uplink, ask, verdictsOf: (domain) => heard.get(domain) ?? [], indicators };
}

test("a verdict comes back to the bus; what is imported later reaches the host that asked", async (t) => {
  t.timeout(TEST_MS_MAX);
  const { bus, ask, verdictsOf, indicators } = await startHost(t);
  const heard = (domain: string, disposition: Disposition) =>
    waitFor(() => verdictsOf(domain).includes(disposition), { what: `${domain}: ${disposition}`, timeoutMs: WAIT_MS });
  const list = "indicator,confidence,labels\nbad.example,90,T1071\n192.0.2.7,90,\n";
  t.like(JSON.parse(await indicators(["import", "-", "--source", "feed", "--replace"], list)), { added: 2 });
  await ask("bad.example", "late.example");
  await heard("bad.example", MALICIOUS);
  await heard("late.example", UNKNOWN);
  await indicators(["import", "-", "--source", "late"], "late[.]example\n");
  await heard("late.example", MALICIOUS);
  await indicators(["remove", "feed", "bad.example"]);
  await heard("bad.example", UNKNOWN);
  const asked = startProcess(t, process.execPath, [CLI, "indicators", "late.example", "--state-dir", bus.stateDir]);
  await asked.exited;
  t.regex(asked.stdout, /^late\.example +malicious +75 % +late$/m, asked.stderr);
  const counted = startProcess(t, process.execPath, [CLI, "indicators", "--state-dir", bus.stateDir, "--json"]);
  await counted.exited;
  t.like(JSON.parse(counted.stdout), { indicators_in: 2, indicators_remembered: 2 });
  const sources = (await indicators(["list"])).trim().split("\n");
  t.deepEqual(
    sources.map((line) => JSON.parse(line)).map(({ source, indicators: count }) => [source, count]),
    [
      ["feed", 1],
      ["late", 1],
    ],
  );
});

test("kill -9 of the uplink at any moment: each indicator that was asked has its verdict", async (t) => {
  t.timeout(TEST_MS_MAX);
  const { bus, uplink: first, ask, verdictsOf } = await startHost(t);
  let uplink = first;
  const asked: string[] = [];
  for (let life = 0; life < KILLS; life++) {
    for (let at = 0; at < INDICATORS_A_LIFE; at++) {
      const domain = `host-${life}-${at}.example`;
      asked.push(domain);
      await ask(domain);
    }
    await moment(Math.random() * ALIVE_MS_MAX);
    uplink.signal("SIGKILL");
    await uplink.exited;
    uplink = bus.startStage(UPLINK);
  }
  await waitFor(() => asked.every((domain) => verdictsOf(domain).length > 0), {
    what: "all verdicts",
    timeoutMs: WAIT_MS,
    explain: () => `${asked.filter((domain) => verdictsOf(domain).length === 0).length} of ${asked.length} are missing`,
  });
  t.is(asked.length, KILLS * INDICATORS_A_LIFE);
});
