// How large the ring is made, and what of the past counts for it.
import test from "ava";
import { BusiestTime, describeRing, reckonRingBytes } from "./ring-size.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const cases = [
  { title: "what is not known yet takes the least", rate: 0, seconds: 10, memory: 16 * GIB, bytes: 8 * MIB },
  { title: "a power of two that holds it", rate: 2 * MIB, seconds: 10, memory: 16 * GIB, bytes: 32 * MIB },
  { title: "exactly what fits is not doubled", rate: MIB, seconds: 16, memory: 16 * GIB, bytes: 16 * MIB },
  { title: "never more than the limit", rate: GIB, seconds: 600, memory: 1024 * GIB, bytes: 64 * MIB },
  { title: "never more than a share of the memory", rate: GIB, seconds: 600, memory: 1.5 * GIB, bytes: 16 * MIB },
  { title: "a small machine has the least all the same", rate: GIB, seconds: 600, memory: GIB / 4, bytes: 8 * MIB },
] as const;

for (const { title, rate, seconds, memory, bytes } of cases) {
  test(title, (t) => {
    t.is(reckonRingBytes(rate, seconds, memory), bytes);
  });
}

test("the busiest window counts, not the busiest moment", (t) => {
  const busiest = new BusiestTime(10);
  let written = 0;
  for (let second = 0; second <= 100; second++) {
    // A thousand a second, and once ten thousand at once.
    written += second === 50 ? 10_000 : 1_000;
    busiest.sample(written, second * 1_000);
  }
  t.is(busiest.bytesPerS, (9 * 1_000 + 10_000) / 10);
});

test("what was known before is not forgotten by a quiet time", (t) => {
  const busiest = new BusiestTime(10, 500);
  for (let second = 0; second < 30; second++) busiest.sample(second, second * 1_000);
  t.is(busiest.bytesPerS, 500);
});

test("it is said for how long the ring holds", (t) => {
  t.is(describeRing(8 * MIB, 0), "8 MiB of memory; how much is written to it is not known yet");
  t.is(describeRing(8 * MIB, MIB / 2), "8 MiB of memory, holds 16 s of the busiest time so far (512 KiB/s)");
  t.is(describeRing(64 * 1024, 1024), "64 KiB of memory, holds 64 s of the busiest time so far (1 KiB/s)");
});
