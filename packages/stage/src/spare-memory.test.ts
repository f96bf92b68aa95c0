// Memory that is kept after a storm goes back to the host, when there is time for it.
import { execFileSync } from "node:child_process";
import test from "ava";
import { type MemoryWorld, SpareMemory } from "./spare-memory.ts";

const MIB = 1024 * 1024;
const LOOK_MS = 15_000;

/** A process that keeps so many MiB beyond its heap, of which a collection gives back all but `own`. */
function worldOf({ kept, own = 0 }: { kept: number; own?: number }) {
  const now = { kept, cpuMs: 0, ms: 0, collections: 0 };
  const world: MemoryWorld = {
    anonymousBytes: () => (now.kept + 30) * MIB,
    heapBytes: () => 30 * MIB,
    cpuMs: () => now.cpuMs,
    clock: () => now.ms,
    collect: async () => {
      now.collections++;
      now.kept = own;
    },
  };
  const spare = new SpareMemory(world);
  const look = async (cpuMs: number) => {
    now.ms += LOOK_MS;
    now.cpuMs += cpuMs;
    await spare.look();
    return now.collections;
  };
  return { now, look };
}

test("much that is kept goes back once it is quiet, little does not", async (t) => {
  const much = worldOf({ kept: 200 });
  t.is(await much.look(LOOK_MS / 2), 0, "busy");
  t.is(await much.look(10), 1);
  t.is(await much.look(10), 1, "there is nothing left to give back");
  t.is(await worldOf({ kept: 40 }).look(10), 0);
});

test("what no collection gives back is not collected for again, what comes on top is", async (t) => {
  const { now, look } = worldOf({ kept: 100, own: 90 });
  t.is(await look(10), 1);
  t.is(await look(10), 1);
  now.kept = 130;
  t.is(await look(10), 1);
  now.kept = 140;
  t.is(await look(10), 2);
  now.kept = 10;
  t.is(await look(10), 2);
  now.kept = 60;
  t.is(await look(10), 3, "the library gave its own back meanwhile");
});

test("V8 gives back the pages of a heap that has become small", (t) => {
  const program = `
    import { thisProcess } from ${JSON.stringify(new URL("./spare-memory.ts", import.meta.url).href)};
    const world = thisProcess();
    let rows = Array.from({ length: 2_000_000 }, (_, index) => ({ index }));
    const full = world.anonymousBytes();
    rows = undefined;
    await world.collect();
    console.log(JSON.stringify({ full, after: world.anonymousBytes() }));`;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  const { full, after } = JSON.parse(said) as { full: number; after: number };
  t.true(full > 80 * MIB, `${full}`);
  t.true(after < full - 50 * MIB, `${after} of ${full}`);
});
