// The probe pinned: taken over by the next reader with all it holds, drained by a newer one, idle when nobody comes.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type PinnedOptions, peekPinned } from "@nightjar/native-probe";
import { type Batch, BatchSchema, DropReason, eventTypes } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, notHere } from "../support/kernel.ts";
import { idsOf, PinnedReader, pathsOf, pinFolder } from "../support/pins.ts";
import { buildYesterdays, YESTERDAYS_OBJECT } from "./yesterdays.ts";

const RING_BYTES = 1024 * 1024;

/** Makes folders whose names number them, each seen as one event. */
class Numbered {
  readonly begin: string;
  count = 0;

  constructor(t: ExecutionContext) {
    this.begin = join(temporaryFolder(t), "n");
  }

  make(count: number): void {
    for (const end = this.count + count; this.count < end; this.count++) mkdirSync(`${this.begin}${this.count}`);
  }

  get all(): string[] {
    return Array.from({ length: this.count }, (_, index) => String(index));
  }
}

kernelTest("what happens between two readers is in the ring, under the same epoch, and comes once", async (t) => {
  const folder = pinFolder(t);
  const folders = new Numbered(t);
  const first = new PinnedReader({ folder });
  t.false(first.opened.takenOver);
  folders.make(100);
  await first.leave();
  folders.make(100);
  const second = new PinnedReader({ folder });
  t.true(second.opened.takenOver);
  t.is(second.opened.probe.epoch, first.opened.probe.epoch);
  t.deepEqual(second.opened.probe.attachments, first.opened.probe.attachments);
  folders.make(100);
  await second.leave();
  t.deepEqual([...first.made(folders.begin), ...second.made(folders.begin)], folders.all);
  t.is(second.batches[0]?.firstPosition, first.batches.at(-1)?.nextPosition, "no gap");
  const ledger = second.opened.probe.ledger().find(({ type }) => type === idsOf(["mkdir"])[0]);
  const before = first.opened.probe.ledger().find(({ type }) => type === ledger?.type);
  t.true((before?.submitted ?? 0n) >= BigInt(first.events.length));
  // The machine goes on making folders, and so do the counters.
  t.true(
    (ledger?.submitted ?? 0n) >= BigInt(first.events.length + second.events.length),
    "they are of the whole epoch",
  );
});

kernelTest("what nobody said to be safe comes again under the same positions", async (t) => {
  const folder = pinFolder(t);
  const folders = new Numbered(t);
  const first = new PinnedReader({ folder }, { release: false });
  folders.make(50);
  await first.leave();
  const second = new PinnedReader({ folder });
  folders.make(50);
  await second.leave();
  const identities = ({ batches, events }: PinnedReader) =>
    events.map(({ position, timeNs }) => `${batches[0]?.epoch}:${position} ${timeNs}`);
  t.true(first.events.length >= 50);
  t.deepEqual(identities(second).slice(0, first.events.length), identities(first));
  t.deepEqual(second.made(folders.begin), folders.all);
});

kernelTest("a ring of another size is drained before it goes, with its counters to the end", async (t) => {
  const folder = pinFolder(t);
  const folders = new Numbered(t);
  const old = new PinnedReader({ folder, ringBytes: RING_BYTES });
  await old.leave();
  folders.make(1_000);
  const { events, reader, ends } = await upgrade(t, folder, { ringBytes: 2 * RING_BYTES });
  t.deepEqual(pathsOf(events, folders.begin), folders.all);
  t.deepEqual(ends, [{ failure: "", unreadBytes: 0, unknownRecords: 0 }]);
  t.not(reader.opened.probe.epoch, old.opened.probe.epoch);
  folders.make(10);
  await reader.leave();
  t.deepEqual(reader.made(folders.begin), folders.all.slice(1_000));
  t.deepEqual([...peekPinned(folder).keys()], [reader.opened.probe.epoch], "the old set is gone");
});

kernelTest("programs that see calls elsewhere than is wanted now are drained and go", async (t) => {
  const folder = pinFolder(t);
  const folders = new Numbered(t);
  await new PinnedReader({ folder, callsSeenAt: "tracepoint" }).leave();
  folders.make(10);
  const { events, reader } = await upgrade(t, folder, { callsSeenAt: "functions" });
  t.deepEqual(pathsOf(events, folders.begin), folders.all);
  folders.make(10);
  await reader.leave();
  t.deepEqual(reader.made(folders.begin), folders.all.slice(10));
  const next = new PinnedReader({ folder, callsSeenAt: "functions" });
  t.true(next.opened.takenOver, "the same again is taken over");
  t.deepEqual(next.opened.probe.attachments, reader.opened.probe.attachments);
  await next.leave();
  const places = reader.opened.probe.attachments.filter(({ point }) => point.startsWith("fexit of"));
  t.is(places.length, 1);
  const { attached, code } = places[0] as (typeof places)[number];
  if (!attached) notHere(t, `calls are seen at the tracepoint, not at the ends of their functions: ${code}`);
});

kernelTest("larger will do where it is said so", async (t) => {
  const folder = pinFolder(t);
  await new PinnedReader({ folder, ringBytes: 2 * RING_BYTES }).leave();
  const next = new PinnedReader({ folder, ringBytes: RING_BYTES, largerRingWillDo: true });
  t.true(next.opened.takenOver);
  t.is(next.opened.probe.ringBytes, 2 * RING_BYTES);
  await next.leave();
});

kernelTest("the records of another version are read as it laid them out", async (t) => {
  const folder = pinFolder(t);
  const compiled = join(import.meta.dirname, YESTERDAYS_OBJECT);
  const objectPath = existsSync(compiled) ? compiled : buildYesterdays(join(temporaryFolder(t), YESTERDAYS_OBJECT));
  const wanted = idsOf(["exit"]);
  const old = new PinnedReader({ folder, objectPath, wanted, playsAnotherVersion: true });
  await old.leave();
  const { pid } = spawnSync("sh", ["-c", "exit 23"]);
  const { events, reader } = await upgrade(t, folder, { wanted });
  const exit = events.find((event) => event.pid === pid && event.data.case === "exit");
  t.like(exit?.data.value, { code: 23, signal: 0, coreDumped: false });
  await reader.leave();
});

kernelTest("programs that nobody reads for a while only count, and go on when someone comes", async (t) => {
  const folder = pinFolder(t);
  const folders = new Numbered(t);
  const [mkdir] = idsOf(["mkdir"]);
  const first = new PinnedReader({ folder, readerGoneAfterS: 1 });
  await first.leave();
  const ledger = () => [...peekPinned(folder).values()][0]?.find(({ type }) => type === mkdir);
  await waitFor(
    () => {
      folders.make(1);
      return (ledger()?.drops.get(DropReason.READER_GONE) ?? 0n) > 0n;
    },
    { what: "they are idle" },
  );
  const { submitted = 0n } = ledger() ?? {};
  folders.make(100);
  t.is(ledger()?.submitted, submitted, "nothing is recorded any more");
  t.true(balances(ledger() as NonNullable<ReturnType<typeof ledger>>));

  const second = new PinnedReader({ folder });
  const before = folders.count;
  folders.make(10);
  await second.leave();
  t.deepEqual(second.made(folders.begin).slice(-10), folders.all.slice(before));
});

kernelTest("nothing is left where everything pinned is removed", async (t) => {
  const folder = pinFolder(t);
  const reader = new PinnedReader({ folder, types: eventTypes.map(({ id }) => id) });
  const held = heldObjects();
  const deed = compileDeed(t, import.meta.dirname);
  const existing = () => deed.do(held.flat()).stdout.trim().split("\n").filter(Boolean);
  for (const kind of ["program", "map", "link"]) t.true(held.filter(([one]) => one === kind).length > 3, kind);
  await reader.leave();
  t.is(existing().length, held.length, "all of it outlives its reader");
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  await waitFor(() => existing().length === 0, { what: "the kernel has let go", explain: () => existing().join() });
  t.deepEqual(readdirSync(folder), []);
});

kernelTest("what a crash left half pinned is cleared away", async (t) => {
  const folder = pinFolder(t);
  await new PinnedReader({ folder }).leave();
  const [whole] = readdirSync(folder);
  mkdirSync(join(folder, "loading-1234", "maps"), { recursive: true });
  const next = new PinnedReader({ folder });
  t.true(next.opened.takenOver);
  t.deepEqual(readdirSync(folder), [whole as string]);
  await next.leave();
});

/** Opens with what differs from the set that is pinned, drains that, and goes on as its reader. */
async function upgrade(t: ExecutionContext, folder: string, options: Omit<PinnedOptions, "folder" | "onBatch">) {
  const reader = new PinnedReader({ folder, ...options });
  const { retired, lost, takenOver, overlapNs } = reader.opened;
  t.false(takenOver);
  t.deepEqual(lost, []);
  t.is(retired.length, 1);
  t.log(`both recorded for ${overlapNs} ns`);
  const batches: Batch[] = [];
  const ends = [];
  for (const ring of retired) {
    ends.push(
      await ring.read((bytes, _first, next) => {
        batches.push(fromBinary(BatchSchema, bytes));
        ring.release(next);
      }),
    );
    const submitted = ring.ledger().reduce((sum, row) => sum + row.submitted, 0n);
    const told = batches.at(-1)?.ledger.reduce((sum, row) => sum + row.submitted, 0n);
    t.true(submitted > 0n);
    t.is(told, submitted, "the last batch tells the counters as they stay");
    ring.remove();
  }
  return { reader, ends, events: batches.flatMap(({ events }) => events) };
}

/** The programs, maps and links that this process has open, each once, as kind and id. */
function heldObjects(): [kind: string, id: string][] {
  const held = new Map<string, [string, string]>();
  for (const descriptor of readdirSync("/proc/self/fdinfo")) {
    const file = join("/proc/self/fdinfo", descriptor);
    const info = existsSync(file) ? readFileSync(file, "utf8") : "";
    // A link tells its program's id too, a program those of no map.
    const [, kind, id] = /^(link|map|prog)_id:\s*(\d+)/m.exec(info) ?? [];
    if (kind && id) held.set(`${kind} ${id}`, [kind === "prog" ? "program" : kind, id]);
  }
  return [...held.values()];
}
