// The outbox: worst first, each once, within its limit, and there after any death.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Priority } from "@nightjar/proto";
import test from "ava";
import { detectionIn, encodedDetection } from "./encoded.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import { detection, freshFolder, remove } from "./testing.ts";

const MIB = 1024 * 1024;
const KILLS = 10;
const TEST_MS_MAX = 120_000;
const KILL_AFTER_LINES_MAX = 60;

function folderFor(t: { teardown: (fn: () => void) => void }): string {
  const folder = freshFolder();
  t.teardown(() => remove(folder));
  return folder;
}

function open(folder: string, options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  return Outbox.open(folder, { bytesMax: 64 * MIB, clock: Date.now, evicted: () => {}, broken: () => {}, ...options });
}

const outputs = async (outbox: Outbox) =>
  (await outbox.take(1_000, 64 * MIB)).map((entry) => detectionIn(entry).output);

test("the worst severity comes first, within it the oldest", async (t) => {
  const outbox = await open(folderFor(t));
  await outbox.add([detection({ priority: Priority.NOTICE, output: "c" })].map(encodedDetection));
  await outbox.add([detection({ priority: Priority.EMERGENCY, output: "a1" })].map(encodedDetection));
  await outbox.add(
    [
      detection({ priority: Priority.EMERGENCY, output: "a2" }),
      detection({ priority: Priority.UNSPECIFIED, output: "d" }),
      detection({ priority: Priority.CRITICAL, output: "b" }),
    ].map(encodedDetection),
  );
  t.deepEqual(await outputs(outbox), ["a1", "a2", "b", "c", "d"]);
  await outbox.close();
});

test("a detection is there once, in its highest revision, however often and in which order it comes", async (t) => {
  const folder = folderFor(t);
  const outbox = await open(folder);
  const one = detection({ revision: 2, output: "two" });
  await Promise.all([
    outbox.add([one, one].map(encodedDetection)),
    outbox.add([one].map(encodedDetection)),
    outbox.add([{ ...one, revision: 1, output: "one" }].map(encodedDetection)),
  ]);
  t.deepEqual(await outputs(outbox), ["two"]);
  await outbox.add([{ ...one, revision: 3, output: "three", priority: Priority.ALERT }].map(encodedDetection));
  t.deepEqual(await outputs(outbox), ["three"]);
  t.is(outbox.count, 1);
  const { bytes } = outbox;
  await outbox.close();
  const again = await open(folder);
  t.deepEqual([again.count, again.bytes], [1, bytes]);
  await again.close();
});

test("a revision that comes while the one before is being sent is not deleted with it", async (t) => {
  const outbox = await open(folderFor(t));
  const one = detection({ revision: 1 });
  await outbox.add([one].map(encodedDetection));
  const sending = await outbox.take(10, MIB);
  await outbox.add([{ ...one, revision: 2, output: "newer" }].map(encodedDetection));
  t.is(await outbox.remove(sending), 0);
  t.deepEqual(await outputs(outbox), ["newer"]);
  t.is(await outbox.remove(await outbox.take(10, MIB)), 1);
  t.deepEqual([outbox.count, outbox.bytes], [0, 0]);
  await outbox.close();
});

test("at the limit the lowest severity goes first, the oldest of it, and is counted", async (t) => {
  let evicted = 0;
  const outbox = await open(folderFor(t), { bytesMax: MIB, evicted: (count) => (evicted += count) });
  const big = (priority: Priority, name: string) =>
    detection({ priority, output: name, fields: { a: "x".repeat(200_000) } });
  await outbox.add(
    [big(Priority.ALERT, "a"), big(Priority.DEBUG, "d1"), big(Priority.DEBUG, "d2")].map(encodedDetection),
  );
  await outbox.add(
    [big(Priority.ERROR, "e1"), big(Priority.ERROR, "e2"), big(Priority.ERROR, "e3")].map(encodedDetection),
  );
  t.deepEqual(await outputs(outbox), ["a", "e1", "e2", "e3", "d2"]);
  await outbox.add([big(Priority.ALERT, "a2"), big(Priority.DEBUG, "d3")].map(encodedDetection));
  t.deepEqual(await outputs(outbox), ["a", "a2", "e1", "e2", "e3"]);
  t.is(evicted, 3);
  t.true(outbox.bytes <= MIB);
  await outbox.close();
});

test("what waited too long is deleted, what is younger stays", async (t) => {
  let nowMs = 1_000_000;
  const outbox = await open(folderFor(t), { clock: () => nowMs });
  await outbox.add(
    [detection({ output: "old" }), detection({ output: "old too", priority: Priority.ALERT })].map(encodedDetection),
  );
  nowMs += 1_000;
  await outbox.add([detection({ output: "young" })].map(encodedDetection));
  t.is(await outbox.deleteStoredBefore(1_000_001), 2);
  t.deepEqual(await outputs(outbox), ["young"]);
  await outbox.close();
});

test("a batch ends at its bytes, but one alone always fits", async (t) => {
  const outbox = await open(folderFor(t));
  await outbox.add(
    [detection({ output: "x".repeat(10_000) }), detection({ output: "y".repeat(10_000) })].map(encodedDetection),
  );
  t.is((await outbox.take(10, 15_000)).length, 1);
  t.is((await outbox.take(10, 5)).length, 1);
  t.is((await outbox.take(10, 50_000)).length, 2);
  t.is((await outbox.take(1, 50_000)).length, 1);
  await outbox.close();
});

test("one that is set aside is not sent any more, the others are", async (t) => {
  const folder = folderFor(t);
  const outbox = await open(folder);
  await outbox.add([detection({ output: "bad" }), detection({ output: "good" })].map(encodedDetection));
  await outbox.setAside((await outbox.take(1, MIB))[0]!);
  t.deepEqual(await outputs(outbox), ["good"]);
  await outbox.close();
  const again = await open(folder);
  t.is(again.count, 1);
  await again.close();
});

test("an outbox that cannot be read is put aside whole, and an empty one begun", async (t) => {
  const folder = join(folderFor(t), "outbox");
  const first = await open(folder);
  await first.add([detection()].map(encodedDetection));
  await first.close();
  writeFileSync(join(folder, "CURRENT"), "no manifest");
  let movedTo = "";
  const outbox = await open(folder, { broken: (to) => (movedTo = to) });
  t.is(outbox.count, 0);
  t.true(existsSync(join(movedTo, "CURRENT")));
  await outbox.add([detection()].map(encodedDetection));
  t.is(outbox.count, 1);
  await outbox.close();
});

test("an outbox that another has open is left alone", async (t) => {
  const folder = folderFor(t);
  const first = await open(folder);
  await t.throwsAsync(open(folder));
  await first.add([detection()].map(encodedDetection));
  t.is(first.count, 1);
  await first.close();
});

test("kill -9 at any moment: what was said to be safe is there, once, and numbers go on", async (t) => {
  t.timeout(TEST_MS_MAX);
  const folder = folderFor(t);
  const safe = new Set<string>();
  const program = new URL("./outbox-writer.ts", import.meta.url).pathname;
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const after = 1 + Math.floor(Math.random() * KILL_AFTER_LINES_MAX);
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.split("\n").length > after) child.kill("SIGKILL");
    });
    await once(child, "close");
    for (const id of said.split("\n").slice(0, -1)) safe.add(id);
  }
  const outbox = await open(folder);
  const found = (await outbox.take(1_000_000, Number.POSITIVE_INFINITY)).map((entry) => entry.id);
  t.is(new Set(found).size, found.length);
  t.is(outbox.count, found.length);
  t.true(safe.size >= KILLS);
  t.deepEqual(
    [...safe].filter((id) => !found.includes(id)),
    [],
  );
  await outbox.close();
});
