// Tests that the bus comes back from the death of its server, its own, and that of its store, on the real thing.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AckPolicy, type ConsumerMessages, jetstream } from "@nats-io/jetstream";
import { waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { HOST_ACCOUNT } from "./account.ts";
import { attach, hasIssue, startBus, type TestBus } from "./testing.ts";

const COUNT = 20;

async function publish(bus: TestBus, from: number, to: number): Promise<void> {
  const js = jetstream(await bus.connect("collector"));
  for (let index = from; index < to; index++) await js.publish("nightjar.raw", String(index), { msgID: String(index) });
}

/** Reads as the enricher until `count` messages are there; acknowledges them when asked to. */
async function read(bus: TestBus, count: number, options: { acknowledge: boolean }): Promise<string[]> {
  const enricher = await bus.connect("enricher");
  await waitFor(async () => (await attach(enricher, "enricher")) === "", { what: "the durable is made anew" });
  const consumer = await jetstream(enricher).consumers.get("RAW", "enricher");
  const messages: ConsumerMessages = await consumer.consume({ max_messages: 256 });
  const seen: string[] = [];
  for await (const message of messages) {
    seen.push(message.string());
    if (options.acknowledge) await message.ackAck();
    if (seen.length === count) break;
  }
  await enricher.close();
  return seen;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => String(from + index));

async function serverPid(bus: TestBus): Promise<number> {
  const operator = await bus.connect("operator");
  const { childPids } = await bus.until(operator, "a server runs", (status) => status.childPids.length === 1);
  return childPids[0] ?? 0;
}

async function gone(pid: number): Promise<void> {
  await waitFor(() => !existsSync(`/proc/${pid}/exe`), { what: `process ${pid} is gone` });
}

test.serial("a killed server is back at once, and gives what was not acknowledged first and in order", async (t) => {
  const bus = await startBus(t);
  await publish(bus, 0, COUNT);
  t.deepEqual(await read(bus, COUNT, { acknowledge: false }), numbers(0, COUNT));
  const operator = await bus.connect("operator");
  const pid = await serverPid(bus);
  process.kill(pid, "SIGKILL");
  await publish(bus, COUNT, COUNT + 5);
  t.deepEqual(await read(bus, COUNT + 5, { acknowledge: true }), numbers(0, COUNT + 5));
  const status = await bus.until(operator, "a restart is counted", ({ counters }) => counters.server_restarts === 1n);
  t.true(hasIssue(status, "BUS_SERVER_RESTARTED"));
  t.not(status.childPids[0], pid);
  t.regex(bus.process.stderr, /ended by SIGKILL/);
});

test.serial("a server killed again and again is started again each time", async (t) => {
  const bus = await startBus(t);
  const operator = await bus.connect("operator");
  for (let kill = 0; kill < 5; kill++) {
    await publish(bus, kill, kill + 1);
    process.kill(await serverPid(bus), "SIGKILL");
    await bus.until(operator, "it is back", ({ counters }) => counters.server_restarts === BigInt(kill + 1));
  }
  t.deepEqual(await read(bus, 5, { acknowledge: true }), numbers(0, 5));
});

test.serial("a killed bus leaves a server that works, and the next bus ends it", async (t) => {
  const bus = await startBus(t);
  await publish(bus, 0, COUNT);
  const left = await serverPid(bus);
  const address = readFileSync(bus.files.address, "utf8");
  bus.process.signal("SIGKILL");
  await bus.process.exited;
  await publish(bus, COUNT, COUNT + 1);
  t.true(existsSync(`/proc/${left}/exe`));
  bus.restart();
  await bus.ready();
  await gone(left);
  t.is(readFileSync(bus.files.address, "utf8"), address);
  t.deepEqual(await read(bus, COUNT + 1, { acknowledge: true }), numbers(0, COUNT + 1));
  t.regex(bus.process.stderr, new RegExp(`ended a server left behind","pid":${left}`));
});

test.serial("attach makes a stage's own durable anew, one after the other, and nobody else's", async (t) => {
  const bus = await startBus(t);
  const manager = await bus.manager();
  const created = async (stream: string, durable: string) =>
    String((await manager.consumers.info(stream, durable)).created);
  const before = [await created("RAW", "enricher"), await created("EVENTS", "rule-engine")];
  const enricher = await bus.connect("enricher");
  const errors = await Promise.all(Array.from({ length: 5 }, () => attach(enricher, "enricher")));
  t.deepEqual(errors, ["", "", "", "", ""]);
  t.not(await created("RAW", "enricher"), before[0]);
  t.is(await created("EVENTS", "rule-engine"), before[1] ?? "");
  await t.throwsAsync(attach(enricher, "rule-engine", 300));
  await t.throwsAsync(attach(enricher, "nobody", 300));
  t.is((await bus.status(await bus.connect("operator"))).counters.attaches, 5n);
});

test.serial("a durable that is gone, or has lost sight of messages, is healed", async (t) => {
  const bus = await startBus(t);
  const operator = await bus.connect("operator");
  const manager = await bus.manager();
  await manager.consumers.delete("EVENTS", "rule-engine");
  await bus.until(operator, "the missing one is made", ({ counters }) => counters.heals === 1n);
  t.is((await manager.consumers.info("EVENTS", "rule-engine")).config.max_ack_pending, 256);
  const js = jetstream(await bus.connect("rule-engine"));
  for (let index = 0; index < 3; index++) await js.publish("nightjar.detections.debug", String(index));
  // As after the server's fault: messages are stored that the durable neither has nor will get.
  const blind = { durable_name: "uplink", ack_policy: AckPolicy.Explicit, filter_subject: "nightjar.detections.alert" };
  const blinded = async () => {
    await manager.consumers.delete("DETECTIONS", "uplink");
    return manager.consumers.add("DETECTIONS", blind);
  };
  await waitFor(blinded, { what: "it is blind before the bus notices that it is away" });
  await waitFor(() => bus.process.stderr.match(/does not see 3 messages of its stream/), { what: "it is healed" });
  const consumer = await jetstream(await bus.connect("uplink")).consumers.get("DETECTIONS", "uplink");
  for (const index of numbers(0, 3)) t.is((await consumer.next({ expires: 2_000 }))?.string(), index);
});

/** The server's folder of one stream. */
function streamFolder(bus: TestBus, name: string): string {
  return join(bus.files.store, "jetstream", HOST_ACCOUNT, "streams", name);
}

async function restartOn(t: ExecutionContext, bus: TestBus, damage: () => void): Promise<string> {
  await bus.process.stop();
  damage();
  bus.restart();
  await bus.ready();
  const operator = await bus.connect("operator");
  const status = await bus.until(operator, "the issue is open", (one) => hasIssue(one, "BUS_STORE_BROKEN"));
  t.true(status.ready);
  const aside = readdirSync(bus.files.folder).filter((name) => name.startsWith(bus.files.brokenStorePrefix));
  t.is(aside.length, 1);
  return join(bus.files.folder, aside[0] ?? "");
}

test.serial("a stream that cannot be read is set aside, and the others keep what they have", async (t) => {
  const bus = await startBus(t);
  await publish(bus, 0, 3);
  await jetstream(await bus.connect("enricher")).publish("nightjar.events", "kept");
  const damage = () => writeFileSync(join(streamFolder(bus, "RAW"), "meta.inf"), "garbage");
  const first = await restartOn(t, bus, damage);
  t.true(existsSync(join(first, "RAW", "meta.inf")));
  const manager = await bus.manager();
  t.is((await manager.streams.info("RAW")).state.messages, 0);
  t.is((await manager.streams.info("EVENTS")).state.messages, 1);
  await publish(bus, 3, 4);
  t.deepEqual(await read(bus, 1, { acknowledge: true }), ["3"]);
  t.not(await restartOn(t, bus, damage), first, "only the last is kept");
});

test.serial("truncated blocks and damaged consumers do not keep it from starting", async (t) => {
  const bus = await startBus(t);
  await publish(bus, 0, 3);
  await bus.process.stop();
  for (const file of ["msgs/1.blk", "msgs/index.db", "obs/enricher/meta.inf", "obs/enricher/o.dat"]) {
    writeFileSync(join(streamFolder(bus, "RAW"), file), "garb");
  }
  bus.restart();
  await bus.ready();
  await publish(bus, 10, 12);
  const seen = await read(bus, 2, { acknowledge: true });
  t.deepEqual(seen, numbers(10, 12));
});

test.serial("a store the server cannot start on is set aside as a whole", async (t) => {
  const bus = await startBus(t);
  await publish(bus, 0, 3);
  const aside = await restartOn(t, bus, () => {
    rmSync(join(bus.files.store, "jetstream"), { recursive: true });
    writeFileSync(join(bus.files.store, "jetstream"), "garbage");
  });
  t.is(readFileSync(join(aside, "jetstream"), "utf8"), "garbage");
  await publish(bus, 3, 4);
  t.deepEqual(await read(bus, 1, { acknowledge: true }), ["3"]);
});
