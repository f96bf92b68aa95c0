// Tested on a running sensor, as a user has it: `nightjar run`, and every command that asks it something.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { BatchSchema } from "@nightjar/proto";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

async function nightjar(t: ExecutionContext, args: readonly string[], input?: Uint8Array) {
  const started = startProcess(t, process.execPath, [CLI, ...args]);
  started.stdin.end(input ?? "");
  const { code } = await started.exited;
  return { code, stdout: started.stdout, stderr: started.stderr };
}

/** The stages of a sensor: the processes whose environment names its state folder. */
function processesOf(stateDir: string): number[] {
  const wanted = `NIGHTJAR_STATE_DIR=${stateDir}\0`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return `${readFileSync(`/proc/${pid}/environ`, "utf8")}\0`.includes(wanted);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const none = (stateDir: string) => () => processesOf(stateDir).length === 0;

test(`a running sensor answers every command; a killed stage comes back; Ctrl-C ends all${suffix}`, async (t) => {
  t.timeout(180_000);
  const file = join(temporaryFolder(t), "detections.json");
  const sensor = await startSensor(t, { env: { NIGHTJAR_OUTPUTS_FILE_PATH: file } });
  await answers(t, sensor);
  await puts(t, sensor, file);
  await listens(t, sensor);
  const before = sensor.pid("enricher");
  process.kill(before as number, "SIGKILL");
  await sensor.process.line(/enricher ended \(SIGKILL\); it is started again in 50 ms/);
  const wait = await nightjar(t, ["status", "--state-dir", sensor.stateDir, "--wait", "30", "--json"]);
  t.is(wait.code, 0, wait.stderr);
  const { stages } = JSON.parse(wait.stdout);
  t.is(stages.find((one: { stage: string }) => one.stage === "enricher").restarts, 1);
  t.not(sensor.pid("enricher"), before);
  t.is(processesOf(sensor.stateDir).length, 8);
  const server = sensor.pid("nats-server") as number;
  sensor.process.signal("SIGINT");
  t.deepEqual(await sensor.process.exited, { code: 0, signal: null });
  t.true(none(sensor.stateDir)());
  t.false(existsSync(`/proc/${server}`));
  for (const line of sensor.process.stdout.trim().split("\n")) t.notThrows(() => JSON.parse(line), line);
});

/** What can be asked is answered, and what is told adds up. */
async function answers(t: ExecutionContext, { stateDir }: Sensor): Promise<void> {
  const folder = ["--state-dir", stateDir];
  const second = await nightjar(t, ["run", ...folder]);
  t.is(second.code, 6);
  t.regex(second.stderr, /another `nightjar run` works on/);
  const status = await nightjar(t, ["status", ...folder]);
  for (const name of ["bus", "portal", "uplink", "rule-engine", "aggregator", "metadata", "enricher", "collector"]) {
    t.regex(status.stdout, new RegExp(`^${name} .* yes `, "m"), name);
  }
  const statistics = JSON.parse((await nightjar(t, ["get-statistics", ...folder, "--json"])).stdout);
  t.true(statistics.kernel.balances);
  const { seen, filtered, governed, folded, submitted, dropped } = statistics.kernel;
  t.is(seen, filtered + governed + folded + submitted + dropped);
  t.true(statistics.totals.published > 0);
  t.true(statistics.totals.published <= statistics.kernel.submitted);
  await watches(t, folder);
  const detections = await nightjar(t, ["detections", ...folder, "--since", "1h"]);
  t.is(detections.code, 0, detections.stderr);
}

/** Watched, the statistics come again and again, with rates and the memory of each process. */
async function watches(t: ExecutionContext, folder: readonly string[]): Promise<void> {
  const args = [CLI, "get-statistics", ...folder, "--json", "--watch", "--interval", "0.2"];
  const watching = startProcess(t, process.execPath, args);
  const lines = () => watching.stdout.split("\n").slice(0, -1);
  await waitFor(() => lines().length >= 2, { what: "two readings", explain: () => watching.stderr });
  watching.signal("SIGINT");
  t.is((await watching.exited).code, 0, watching.stderr);
  for (const { stages } of lines().map((line) => JSON.parse(line))) {
    for (const { stage, cpu_percent, memory_bytes } of stages) {
      t.true(cpu_percent >= 0, stage);
      t.true(memory_bytes > 0, stage);
    }
  }
}

/** What the portal has an output has too; a test detection reaches it, and only where there is such an output. */
async function puts(t: ExecutionContext, { stateDir }: Sensor, file: string): Promise<void> {
  const lines = () => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []);
  startProcess(t, "cat", ["/etc/shadow"]);
  await waitFor(() => lines().some((line) => line.includes("/etc/shadow")), { what: "the detection is in the file" });
  const tried = await nightjar(t, ["outputs", "test", "file", "--state-dir", stateDir, "--json"]);
  t.is(tried.code, 0, tried.stderr);
  t.true(lines().some((line) => line.includes("Nightjar output test")));
  const absent = await nightjar(t, ["outputs", "test", "webhook", "--state-dir", stateDir]);
  t.deepEqual(
    [absent.code, absent.stderr],
    [1, "nightjar: webhook: there is no output webhook; switched on are file\n"],
  );
  const listed = await nightjar(t, ["outputs", "list", "--state-dir", stateDir, "--json"]);
  t.like(JSON.parse(listed.stdout), { name: "file", format: "falco", target: file, waiting: 0, refused: 0 });
  t.regex((await nightjar(t, ["status", "--state-dir", stateDir])).stdout, /^file +falco +\d+ +0 +0 +ok /m);
}

/** tap, and what the `nats` command line would do with the context: the same key, and `nightjar decode`. */
async function listens(t: ExecutionContext, { stateDir }: Sensor): Promise<void> {
  const listening = startProcess(t, process.execPath, [
    ...[CLI, "tap", "--state-dir", stateDir],
    ...["--type", "exec", "--process", "true", "--count", "1"],
  ]);
  startProcess(t, "sh", ["-c", "while /bin/true; do sleep 0.1; done"], { group: true });
  const { code } = await listening.exited;
  t.is(code, 0);
  const event = JSON.parse(listening.stdout);
  t.is(event.subject, "nightjar.events");
  t.deepEqual(event.exec.args, ["/bin/true"]);
  t.is(event.process.user_name, "root");
  const file = join(temporaryFolder(t), "context.json");
  t.is((await nightjar(t, ["tap", "--state-dir", stateDir, "--nats-context", "--output", file])).code, 0);
  const listener = await connectWith(JSON.parse(readFileSync(file, "utf8")));
  const bytes = await nextMessage(listener, "nightjar.events");
  const decoded = await nightjar(t, ["decode", "nightjar.events"], bytes);
  const lines = decoded.stdout.split("\n").filter((line) => line !== "");
  t.is(lines.length, fromBinary(BatchSchema, bytes).events.length);
  const streams = await listener.request("$JS.API.STREAM.NAMES");
  t.true(JSON.parse(streams.string()).streams.includes("EVENTS"));
  await t.throwsAsync(listener.request("$JS.API.STREAM.PURGE.EVENTS", "", { timeout: 1_000 }));
  await t.throwsAsync(published(listener, "nightjar.raw"));
  await listener.close();
}

interface NatsContext {
  url: string;
  nkey: string;
  inbox_prefix: string;
}

function connectWith({ url, nkey, inbox_prefix: inboxPrefix }: NatsContext): Promise<NatsConnection> {
  const seed = new TextEncoder().encode(readFileSync(nkey, "utf8").trim());
  return connect({ servers: url, authenticator: nkeyAuthenticator(seed), inboxPrefix });
}

async function nextMessage(connection: NatsConnection, subject: string): Promise<Uint8Array> {
  for await (const message of connection.subscribe(subject, { max: 1 })) return message.data;
  throw new Error("the subscription ended without a message");
}

/** Rejects where the server does not allow it. */
async function published(connection: NatsConnection, subject: string): Promise<void> {
  const refused = (async () => {
    for await (const status of connection.status()) if (status.type === "error") throw status.error;
  })();
  connection.publish(subject, "x");
  await connection.flush();
  await Promise.race([refused, waitFor(() => false, { what: "the refusal", timeoutMs: 2_000 }).catch(() => {})]);
}

test(`a supervisor that is killed leaves nothing, and the next start goes on${suffix}`, async (t) => {
  t.timeout(180_000);
  const sensor = await startSensor(t);
  const { stateDir } = sensor;
  const server = sensor.pid("nats-server") as number;
  process.kill(sensor.process.pid, "SIGKILL");
  await waitFor(none(stateDir), { what: "the stages end with their supervisor", timeoutMs: 30_000 });
  await waitFor(() => !existsSync(`/proc/${server}`), { what: "nats-server ends with its stage" });
  const again = startProcess(t, process.execPath, [CLI, "run", "--state-dir", stateDir, "--json"], { group: true });
  await ready(again);
  await again.stop({ timeoutMs: 30_000 });
  t.true(none(stateDir)());
});

async function ready(started: TestProcess): Promise<void> {
  await started.line(/"type":"ready"/, { timeoutMs: 60_000 });
}
