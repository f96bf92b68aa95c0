// The probe as a whole: batches and their ranges, a ring that is full, a reader that waits, and the account of it all.
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { openProbe, type ProbeOptions } from "@nightjar/native-probe";
import { BatchSchema, DropReason } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, callsSeenAt, idsOf, kernelTest, text, type Watch, watchKernel } from "../support/kernel.ts";

const RING_BYTES_SMALL = 64 * 1024;
/** The code of an attach point that the kernel was built without. */
const ABSENT = "ENOENT";
const BATCH_EVENTS_MAX = 256;
const BATCH_BYTES_MAX = 256 * 1024;
const NS_PER_MS = 1_000_000n;

/** Opens a file `count` times, in a process of its own; returns its pid and the file. */
function storm(t: ExecutionContext, count: number): { pid: number; path: string } {
  const path = join(temporaryFolder(t), "file");
  writeFileSync(path, "x");
  return { pid: compileDeed(t, import.meta.dirname).do([String(count), path]).pid, path };
}

/** Every range begins where the one before ended, and holds its events in order. */
function assertContinuous(t: ExecutionContext, watch: Watch): void {
  let next = 0n;
  for (const batch of watch.batches) {
    t.is(batch.firstPosition, next);
    next = batch.nextPosition;
    const positions = batch.events.map(({ position }) => position);
    t.deepEqual(
      positions,
      [...positions].sort((a, b) => (a < b ? -1 : 1)),
    );
    t.true(positions.every((position) => position >= batch.firstPosition && position < next));
  }
}

kernelTest("batches touch each other, and say of which ring they are", async (t) => {
  const watch = watchKernel(t, { types: ["open", "exit"] });
  const { pid } = storm(t, 3000);
  await watch.ended(pid);
  await watch.probe.stop();
  assertContinuous(t, watch);
  t.true(watch.batches.length > 3000 / BATCH_EVENTS_MAX);
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim().replaceAll("-", "");
  for (const batch of watch.batches) {
    t.is(Buffer.from(batch.bootId).toString("hex"), bootId);
    t.is(batch.epoch, watch.probe.epoch);
    t.true(batch.events.length > 0 && batch.events.length <= BATCH_EVENTS_MAX);
    t.true(toBinary(BatchSchema, batch).length <= BATCH_BYTES_MAX + 4096);
    const timeOfDayMs = ((batch.events[0]?.timeNs ?? 0n) + batch.bootTimeUnixNs) / NS_PER_MS;
    t.true(Math.abs(Number(timeOfDayMs) - Date.now()) < 60_000);
  }
  t.true(
    watch.batches.some(({ ledger }) => ledger.length > 0),
    "the counters travel with the batches",
  );
});

kernelTest("what the ring had no room for is counted to the last event", async (t) => {
  const watch = watchKernel(t, { types: ["open"], ringBytes: RING_BYTES_SMALL, release: false });
  const count = 5000;
  storm(t, count);
  await watch.probe.stop();
  const ledger = watch.ledger("open");
  const opens = watch.of("open");
  t.true(ledger.seen >= BigInt(count));
  t.true((ledger.drops.get(DropReason.RING_FULL) ?? 0n) > BigInt(count / 2));
  t.deepEqual([...ledger.drops.keys()], [DropReason.RING_FULL]);
  t.true(balances(ledger));
  t.is(ledger.submitted, BigInt(opens.length));
  t.true(opens.length > 0);
  assertContinuous(t, watch);
});

kernelTest("a reader whose batches are not released waits, and loses nothing the ring can hold", async (t) => {
  const limit = 2;
  const watch = watchKernel(t, { types: ["open"], batchesInFlightMax: limit, release: false });
  const { pid, path } = storm(t, 4000);
  const { probe, batches } = watch;
  await waitFor(() => batches.length === limit, { what: "the reader has handed over what it may" });
  const used = probe.ringUsed();
  t.true(used > Number(batches[limit - 1]?.nextPosition), "what is not released stays in the ring");

  probe.release(batches[limit - 1]?.nextPosition ?? 0n);
  t.true(probe.ringUsed() < used);
  const mine = () => watch.of("open", (open) => open.pid === pid && text(open.data.path) === path);
  for (let released = limit; mine().length < 4000; released++) {
    const next = await waitFor(() => batches[released], { what: "another batch comes" });
    probe.release(next.nextPosition);
    t.true(batches.length <= released + 1 + limit);
  }
  assertContinuous(t, watch);
  t.throws(() => probe.release((batches.at(-1)?.nextPosition ?? 0n) + 1n), { instanceOf: RangeError });
});

kernelTest("stopping hands over what is in the ring", async (t) => {
  const watch = watchKernel(t, { types: ["open"], flushDelayMs: 1000 });
  const { pid, path } = storm(t, 300);
  const { unreadBytes } = await watch.probe.stop();
  t.is(unreadBytes, 0);
  t.is(watch.of("open", (open) => open.pid === pid && text(open.data.path) === path).length, 300);
  t.is(watch.ledger("open").submitted, BigInt(watch.events.length));
});

kernelTest("a stop whose batches nobody releases ends in time and says what was left", async (t) => {
  const watch = watchKernel(t, { types: ["open"], batchesInFlightMax: 1, release: false });
  storm(t, 2000);
  const { unreadBytes } = await watch.probe.stop({ timeoutMs: 100 });
  t.true(unreadBytes > 0);
});

kernelTest("the sensor's own processes are known by pid and start time", async (t) => {
  const watch = watchKernel(t, { types: ["open", "fork"] });
  const folder = temporaryFolder(t);
  const touch = (name: string) => closeSync(openSync(join(folder, name), "w"));
  const sees = (name: string) => watch.of("open", ({ data }) => text(data.path) === join(folder, name)).length === 1;
  const { pid } = process;
  // Field 22; the name, in parentheses, may hold spaces.
  const stat = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const startTicks = BigInt(stat[19] ?? "");
  touch("before");
  watch.probe.setOwnProcesses([{ pid, startTicks }]);
  const { filtered } = watch.ledger("open");
  touch("own");
  t.true(watch.ledger("open").filtered > filtered);
  watch.probe.setOwnProcesses([{ pid, startTicks: startTicks + 1n }]);
  touch("reused-pid");
  watch.probe.setOwnProcesses([]);
  touch("after");
  spawnSync("true");
  await watch.event("fork", (fork) => fork.pid === pid);
  t.deepEqual(["before", "own", "reused-pid", "after"].map(sees), [true, false, true, true]);
});

kernelTest("opened and stopped again and again, the probe leaves nothing behind", async (t) => {
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const threads = () => readdirSync("/proc/self/task").length;
  const cycle = async (options: Partial<ProbeOptions>) => {
    const onBatch: ProbeOptions["onBatch"] = (_bytes, _first, next) => probe.release(next);
    const probe = openProbe({ onBatch, callsSeenAt, ringBytes: RING_BYTES_SMALL, ...options });
    t.deepEqual(
      probe.attachments.filter(({ attached, code }) => !attached && code !== ABSENT),
      [],
    );
    await probe.stop();
  };
  await cycle({});
  const before = [descriptors(), threads()];
  // Checking all programs again takes the kernel seconds each time.
  for (let i = 0; i < 8; i++) await cycle({ types: idsOf(["mkdir", "connect", "exec"]) });
  await waitFor(() => descriptors() <= before[0]! && threads() <= before[1]!, { what: "all is closed" });
  t.pass();
});

kernelTest("without capabilities the refusal says what to check", async (t) => {
  const script = `import { openProbe } from "@nightjar/native-probe";
    try { openProbe({ onBatch() {} }); }
    catch ({ message, code, errno, hints }) { console.log(JSON.stringify({ message, code, errno, hints })); }`;
  const node = [process.execPath, "--input-type=module", "--eval", script];
  const { stdout, stderr, status, signal } = spawnSync("setpriv", ["--bounding-set=-all", "--inh-caps=-all", ...node], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  t.not(stdout, "", `ended with ${status ?? signal}: ${stderr}`);
  const { message, code, errno, hints } = JSON.parse(stdout);
  t.regex(message, /^failed loading ebpf skeleton: /);
  t.deepEqual([code, errno], ["EPERM", 1]);
  t.regex(hints.join(), /capabilities/);
});

kernelTest("options out of range are refused with what is allowed", async (t) => {
  const onBatch = () => undefined;
  t.throws(() => openProbe({ onBatch, ringBytes: 100_000 }), { instanceOf: RangeError, message: /power of two/ });
  t.throws(() => openProbe({ onBatch, ringBytes: 4096 }), { instanceOf: RangeError, message: /allowed are 65536 to/ });
  t.throws(() => openProbe({ onBatch, flushDelayMs: 0 }), { instanceOf: RangeError });
  t.throws(() => openProbe({ onBatch, batchesInFlightMax: 0.5 }), { instanceOf: RangeError });
});
