// The inventory as a host goes on: what runs at the start, what begins and ends, what is told of it and what is not.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InventoryItem, ProgramItem } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { Catalogue } from "./catalogue.ts";
import { deltaOf } from "./deltas.ts";
import { InventoryStore } from "./store.ts";
import { execOf, factsOf, libraryOf, runningOf, TestHost } from "./testing.ts";

const server = { pid: 10, path: "/usr/sbin/server", unit: "server.service" };
const LIBC = "/usr/lib/libc.so.6";
const LIBSSL = "/usr/lib/libssl.so.3";

const itemsOf = ({ inventory }: TestHost) => [...inventory.catalogue].map(({ item }) => item);

function programOf(host: TestHost, path: string): ProgramItem | undefined {
  const values = itemsOf(host).flatMap(({ what }) => (what.case === "program" ? [what.value] : []));
  return values.find((value) => Buffer.from(value.path).toString() === path);
}

function pathsOf(host: TestHost, ids: readonly bigint[]): string[] {
  return ids
    .flatMap((id) => {
      const what = host.inventory.catalogue.get(id)?.item.what;
      return what?.case === "file" ? [Buffer.from(what.value.path).toString()] : [];
    })
    .sort();
}

const told = (host: TestHost, from: bigint): InventoryItem[] =>
  deltaOf(host.inventory.catalogue, { from, nowMs: host.nowMs }).flatMap(({ items }) => items);

test("what runs at the start is there, with what it has loaded and listens on", async (t) => {
  const host = new TestHost();
  host.answer = [runningOf([{ ...server, libraries: [LIBC, LIBSSL], ports: [443] }])];
  await host.pass(1);
  const program = programOf(host, server.path);
  t.is(program?.running, 1);
  t.deepEqual(pathsOf(host, program?.loaded ?? []), [LIBC, LIBSSL]);
  t.is(program?.listening.length, 1);
  t.true(itemsOf(host).every(({ preexisting, what }) => preexisting || what.case === "root"));
  const [port] = itemsOf(host).filter(({ what }) => what.case === "port");
  t.like(port?.what.value, { port: 443, closed: false });
});

test("a process that ends takes its program and its port with it", async (t) => {
  const host = new TestHost();
  host.answer = [runningOf([{ ...server, ports: [443] }])];
  await host.pass(1);
  host.answer = [runningOf([], { batch: new Uint8Array(0), isComplete: false })];
  await host.pass(10);
  t.is(programOf(host, server.path)?.running, 0);
  const [port] = itemsOf(host).filter(({ what }) => what.case === "port");
  t.like(port?.what.value, { closed: true });
});

test("what lives shortly is counted, and told once", async (t) => {
  const host = new TestHost();
  host.answer = [runningOf([server])];
  await host.pass(1);
  const cron = (pid: number) => ({ pid, path: "/usr/bin/backup" });
  const deed = (pid: number) => factsOf([execOf(cron(pid)), libraryOf(cron(pid), LIBC)]);
  host.inventory.take(deed(1_000));
  await host.pass(1);
  const { revision } = host.inventory.catalogue;
  for (let pid = 1_001; pid < 1_010; pid++) {
    host.inventory.take(deed(pid));
    await host.pass(1);
  }
  t.deepEqual(told(host, revision), []);
  const [backup] = [...host.inventory.catalogue].filter(({ item: { what } }) => what.case === "program").slice(-1);
  t.is(backup?.count, 10);
  t.is(backup && host.inventory.render(backup).what.case, "program");
});

test("a process that lives on is told, with what it has loaded since", async (t) => {
  const host = new TestHost();
  host.answer = [runningOf([server])];
  await host.pass(1);
  const late = { pid: 1_001, path: "/usr/bin/late" };
  host.inventory.take(factsOf([execOf(late)]));
  host.answer = [runningOf([server, { ...late, libraries: [LIBC] }], { isComplete: false })];
  await host.pass(1);
  t.is(programOf(host, late.path)?.running, 0);
  await host.pass(120);
  t.is(programOf(host, late.path)?.running, 1);
  t.deepEqual(pathsOf(host, programOf(host, late.path)?.loaded ?? []), [LIBC]);
});

test("deltas and a snapshot say the same, whatever was lost in between", async (t) => {
  const host = new TestHost();
  host.answer = [runningOf([server])];
  await host.pass(1);
  const known = new Map(told(host, 0n).map((item) => [item.id, item.revision]));
  const before = host.inventory.catalogue.revision;
  host.inventory.take(factsOf([execOf({ pid: 77, path: "/usr/bin/one" }), execOf({ pid: 78, path: "/usr/bin/two" })]));
  await host.pass(1);
  for (const item of told(host, before)) known.set(item.id, item.revision);
  t.deepEqual(known, new Map(told(host, 0n).map((item) => [item.id, item.revision])));
});

test("too many items: those unseen longest go, and the next delta says so", async (t) => {
  const host = new TestHost({ itemsMax: 100 });
  host.answer = [runningOf([server])];
  await host.pass(1);
  const before = host.inventory.catalogue.revision;
  for (let at = 0; at < 200; at++) {
    host.inventory.take(factsOf([execOf({ pid: 1_000 + at, path: `/usr/bin/p${at}` })], 100 + at));
    await host.pass(1);
  }
  t.true(host.inventory.catalogue.size <= 102);
  t.true(host.inventory.catalogue.evicted > 0);
  const [delta] = deltaOf(host.inventory.catalogue, { from: before, nowMs: host.nowMs });
  t.true((delta?.gone.length ?? 0) > 0);
  t.is(programOf(host, server.path)?.running, 1);
});

async function opened(t: ExecutionContext, folder: string) {
  const found = await InventoryStore.open(folder);
  t.teardown(() => found.store.close());
  return found;
}

test("the next life has what was written, and its revisions go on", async (t) => {
  const folder = join(temporaryFolder(t), "inventory");
  const first = await opened(t, folder);
  const host = new TestHost({}, (settled, meta) => first.store.commit(settled, { ...meta, epoch: first.start.epoch }));
  host.answer = [runningOf([{ ...server, libraries: [LIBC] }])];
  await host.pass(1);
  host.inventory.take(factsOf([execOf({ pid: 99, path: server.path, unit: server.unit })]));
  await host.pass(1);
  await first.store.close();
  const { start } = await opened(t, folder);
  const catalogue = new Catalogue({ itemsMax: 100, keptMs: 1e9 }, start);
  t.is(catalogue.revision, host.inventory.catalogue.revision);
  const programs = (of: Iterable<{ item: InventoryItem; count: number; lastSeenMs: number }>) =>
    [...of].map(({ item: { id, what }, count, lastSeenMs }) => ({ id, kind: what.case, count, lastSeenMs }));
  const byId = (left: { id: bigint }, right: { id: bigint }) => (left.id < right.id ? -1 : 1);
  t.deepEqual(programs(catalogue).sort(byId), programs(host.inventory.catalogue).sort(byId));
});

test("a store that cannot be read is set aside", async (t) => {
  const parent = temporaryFolder(t);
  const folder = join(parent, "inventory");
  const { store } = await opened(t, folder);
  await store.close();
  for (const name of readdirSync(folder).filter((one) => one.startsWith("MANIFEST")))
    writeFileSync(join(folder, name), "x");
  const { broken, start } = await opened(t, folder);
  t.true(broken?.includes("broken"));
  t.deepEqual(start.entries, []);
});

test("on a disk that refuses, it goes on, and writes everything when the disk takes it", async (t) => {
  let isFull = true;
  const host = new TestHost({}, async () => {
    if (isFull) throw new Error("ENOSPC");
  });
  host.answer = [runningOf([server])];
  await host.pass(1);
  host.inventory.take(factsOf([execOf({ pid: 99, path: "/usr/bin/later" })]));
  await host.pass(1);
  t.is(host.committed.length, 0);
  t.true(host.inventory.counts.unstored >= 2);
  isFull = false;
  await host.pass(1);
  const written = host.committed.flatMap(({ changed }) => changed.map(({ id }) => id));
  t.deepEqual(new Set(written), new Set([...host.inventory.catalogue].map(({ id }) => id)));
});
