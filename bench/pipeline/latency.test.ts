// Tests that detections are matched to the deeds that made them.
import test from "ava";
import { latenciesOf } from "./latency.ts";

const MS = 1_000_000n;
const deed = (atMs: bigint) => ({
  monotonicNs: atMs * MS,
  bootBeforeNs: (atMs + 500n) * MS,
  bootAfterNs: (atMs + 501n) * MS,
});
const arrival = (eventMs: bigint, arrivedMs: bigint, pid = 7) => ({
  eventNs: eventMs * MS,
  arrivedNs: arrivedMs * MS,
  pid,
});

test("the first arrival counts, from just before the deed", (t) => {
  const arrivals = [arrival(600n, 112n), arrival(600n, 108n), arrival(700n, 230n)];
  const latencies = latenciesOf("bus", 7, [deed(100n), deed(200n)], arrivals);
  t.deepEqual(latencies, { place: "bus", deeds: 2, missed: 0, ms: [8, 30] });
});

test("other processes' detections and other times are not the deed's", (t) => {
  const arrivals = [arrival(600n, 110n, 8), arrival(650n, 160n)];
  t.deepEqual(latenciesOf("portal", 7, [deed(100n)], arrivals), { place: "portal", deeds: 1, missed: 1, ms: [] });
});
