// What is kept aside stays within its limits, and a message that crashes the stage again and again is known.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { GarbageStore } from "./garbage.ts";

test("keeps the newest messages, the oldest go", (t) => {
  const folder = temporaryFolder(t);
  const store = new GarbageStore(folder);
  for (let index = 0; index < 40; index++) store.keep(new Uint8Array([index]));
  t.is(readdirSync(join(folder, "garbage")).length, 32);
  t.is(store.size(), 32);
});

test("keeps no more than the first megabyte of a message", (t) => {
  const store = new GarbageStore(temporaryFolder(t));
  store.keep(new Uint8Array(3 * 1024 * 1024));
  t.is(store.size(), 1024 * 1024);
});

test("the third crash on one message makes it poison, for later lives", (t) => {
  const folder = temporaryFolder(t);
  const message = new TextEncoder().encode("a batch");
  for (const expected of [false, false, false]) {
    const life = new GarbageStore(folder);
    t.is(life.isPoison(message), expected);
    life.noteCrash(message);
  }
  t.true(new GarbageStore(folder).isPoison(message));
  t.false(new GarbageStore(folder).isPoison(new TextEncoder().encode("another")));
});

test("a crash on another message begins the count anew, and a broken note counts as none", (t) => {
  const folder = temporaryFolder(t);
  const message = new TextEncoder().encode("a batch");
  for (let life = 0; life < 3; life++) new GarbageStore(folder).noteCrash(message);
  new GarbageStore(folder).noteCrash(new TextEncoder().encode("another"));
  t.false(new GarbageStore(folder).isPoison(message));
  writeFileSync(join(folder, "crashes.json"), "{");
  t.false(new GarbageStore(folder).isPoison(message));
});
