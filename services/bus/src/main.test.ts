// Tests the stage as a process: its start, its end, its files, and what it refuses.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { EXIT_REFUSED } from "@nightjar/stage";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { hasIssue, startBus, TestBus } from "./testing.ts";

const processExists = (pid: number) => existsSync(`/proc/${pid}/exe`);
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

test("starts, tells what runs, and ends with its server", async (t) => {
  const bus = await startBus(t);
  const operator = await bus.connect("operator");
  const status = await bus.status(operator);
  const [child = 0] = status.childPids;
  t.true(status.ready);
  t.is(Number(readFileSync(bus.files.pid, "utf8")), child);
  t.regex(status.facts.server_version ?? "", /^\d+\.\d+\.\d+$/);
  t.is(`nats://${status.facts.server_address}`, readFileSync(bus.files.address, "utf8").trim());
  t.is(status.facts.server_pid, String(child));
  t.true(processExists(child));
  const secrets = [bus.files.configuration, ...["bus", "enricher", "operator", "manager"].map(bus.files.key)];
  t.deepEqual(
    secrets.map(modeOf),
    secrets.map(() => "600"),
  );
  // Stages with users of their own read its address in there; what else lies in it they can neither list nor read.
  t.deepEqual([bus.files.folder, bus.files.store].map(modeOf), ["711", "700"]);
  const exit = await bus.process.stop();
  t.deepEqual(exit, { code: 0, signal: null });
  t.false(processExists(child));
});

test("nobody gets in without a key, and it listens on loopback alone", async (t) => {
  const bus = await startBus(t);
  const address = readFileSync(bus.files.address, "utf8").trim();
  await t.throwsAsync(connect({ servers: address, reconnect: false }), { message: /Authorization/i });
  const port = Number(new URL(address).port).toString(16).toUpperCase().padStart(4, "0");
  const listening = ["/proc/net/tcp", "/proc/net/tcp6"]
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === "0A" && local?.endsWith(`:${port}`));
  t.deepEqual(
    listening.map(([, local]) => local),
    [`0100007F:${port}`],
  );
});

test("a second start keeps port, keys and messages", async (t) => {
  const bus = await startBus(t);
  await jetstream(await bus.connect("collector")).publish("nightjar.raw", "kept");
  const before = [bus.files.address, bus.files.key("enricher")].map((file) => readFileSync(file, "utf8"));
  await bus.process.stop();
  bus.restart();
  await bus.ready();
  const after = [bus.files.address, bus.files.key("enricher")].map((file) => readFileSync(file, "utf8"));
  t.deepEqual(after, before);
  const reader = await jetstream(await bus.connect("enricher")).consumers.get("RAW", "enricher");
  t.is((await reader.next({ expires: 3_000 }))?.string(), "kept");
});

test("a port taken in between is given up for another", async (t) => {
  const bus = await startBus(t);
  const before = readFileSync(bus.files.address, "utf8");
  await bus.process.stop();
  const thief = createServer();
  await new Promise<void>((resolve) => thief.listen(Number(new URL(before).port), "127.0.0.1", resolve));
  t.teardown(() => thief.close());
  bus.restart();
  await bus.ready();
  t.not(readFileSync(bus.files.address, "utf8"), before);
  const operator = await bus.connect("operator");
  t.true((await bus.status(operator)).ready);
});

test("a second bus on the same folder is refused while the first lives", async (t) => {
  const bus = await startBus(t);
  const second = new TestBus(t, {}, bus.stateDir);
  t.deepEqual(await second.process.exited, { code: EXIT_REFUSED, signal: null });
  t.regex(second.process.stderr, /BUS_ALREADY_RUNNING/);
  t.true((await bus.status(await bus.connect("operator"))).ready);
});

test("a budget too small for the streams is a setting that is not allowed", async (t) => {
  const bus = new TestBus(t, { NIGHTJAR_BUS_DISK_BYTES: "1000000" });
  t.is((await bus.process.exited)?.code, 2);
  t.regex(bus.process.stderr, /67108864/);
});

test("a budget beyond the disk is an issue, not a failure", async (t) => {
  const bus = await startBus(t, { NIGHTJAR_BUS_DISK_BYTES: String(1024 ** 4) });
  const operator = await bus.connect("operator");
  const status = await bus.until(operator, "the issue is open", (one) => hasIssue(one, "DISK_FULL"));
  t.true(status.ready);
});

test("a smaller budget keeps what is stored", async (t) => {
  const stateDir = temporaryFolder(t);
  const large = new TestBus(t, { NIGHTJAR_BUS_DISK_BYTES: String(512 * 1024 ** 2) }, stateDir);
  await large.ready();
  const js = jetstream(await large.connect("collector"));
  for (let index = 0; index < 40; index++) await js.publish("nightjar.raw", new Uint8Array(1_000_000));
  await large.process.stop();
  const small = new TestBus(t, { NIGHTJAR_BUS_DISK_BYTES: String(64 * 1024 ** 2) }, stateDir);
  await small.ready();
  const { state, config } = await (await small.manager()).streams.info("RAW");
  t.is(state.messages, 40);
  t.true(config.max_bytes < 41_000_000);
});

test("a missing server is said with its code", async (t) => {
  const bus = new TestBus(t, { NIGHTJAR_BUS_SERVER_BINARY: "/nonexistent/nats-server" });
  t.is((await bus.process.exited)?.code, EXIT_REFUSED);
  t.regex(bus.process.stderr, /BUS_SERVER_MISSING/);
});

test("damaged files of its own are made anew", async (t) => {
  const bus = await startBus(t);
  await bus.process.stop();
  for (const file of [bus.files.key("enricher"), bus.files.port, bus.files.diskBudget])
    writeFileSync(file, "garbage\n");
  bus.restart();
  await bus.ready();
  const enricher = await bus.connect("enricher");
  t.false(enricher.isClosed());
  t.regex(readFileSync(bus.files.port, "utf8"), /^\d+\n$/);
});
