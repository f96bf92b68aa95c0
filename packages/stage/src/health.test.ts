// An issue's life: opened once, counted while it goes on, resolved and told of for a while; what flickers is one.
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { HealthResolution } from "@nightjar/proto";
import test from "ava";
import { Health, PAST_ISSUE_MS_MAX, PAST_ISSUES_MAX, REOPEN_MS_MAX } from "./health.ts";

const START_MS = 1_800_000_000_000;

function healthAt(start = START_MS) {
  let now = start;
  const logged: string[] = [];
  const log = { error: (message: string) => void logged.push(message), info: () => {} };
  const health = new Health("collector", log as never, () => now);
  return { health, logged, pass: (ms: number) => (now += ms) };
}

test("an issue keeps its id and its beginning, and counts; its last time goes on", (t) => {
  const { health, logged, pass } = healthAt();
  health.raise("DISK_FULL", "the disk is full");
  pass(5_000);
  health.raise("DISK_FULL", "the disk is full");
  const [issue] = health.issues;
  t.is(health.issues.length, 1);
  t.regex(issue!.id, /^[0-9a-f]{32}$/);
  t.deepEqual(
    [issue!.count, timestampMs(issue!.since!), timestampMs(issue!.lastSeen!), issue!.resolvedAt],
    [2n, START_MS, START_MS + 5_000, undefined],
  );
  t.deepEqual(logged, ["the disk is full"]);
});

test("what was resolved is told of for some minutes, with when", (t) => {
  const { health, pass } = healthAt();
  health.raise("DISK_FULL", "the disk is full");
  pass(1_000);
  health.resolve("DISK_FULL");
  t.deepEqual(health.issues, []);
  const [issue] = health.past;
  t.is(timestampMs(issue!.resolvedAt!), START_MS + 1_000);
  t.is(issue!.resolution, HealthResolution.RESOLVED);
  pass(PAST_ISSUE_MS_MAX);
  t.deepEqual(health.past, []);
});

test("what comes again at once is the same issue, what comes later another", (t) => {
  const { health, logged, pass } = healthAt();
  health.raise("DISK_FULL", "the disk is full");
  const first = health.issues[0]!.id;
  health.resolve("DISK_FULL");
  pass(REOPEN_MS_MAX - 1);
  health.raise("DISK_FULL", "the disk is full");
  t.deepEqual([health.issues.map(({ id }) => id), health.past], [[first], []]);
  t.deepEqual([health.issues[0]!.count, health.issues[0]!.resolvedAt], [2n, undefined]);
  t.is(logged.length, 2, "that it is back is said");
  health.resolve("DISK_FULL");
  pass(REOPEN_MS_MAX);
  health.raise("DISK_FULL", "the disk is full");
  t.not(health.issues[0]!.id, first);
  t.is(health.past.length, 1);
});

test("of many resolved issues the latest are told of", (t) => {
  const { health, pass } = healthAt();
  for (let round = 0; round < PAST_ISSUES_MAX + 3; round++) {
    health.raise("GARBAGE", `message ${round}`);
    health.resolve("GARBAGE");
    pass(REOPEN_MS_MAX);
  }
  t.is(health.past.length, PAST_ISSUES_MAX);
  t.is(health.past[0]!.message, "message 3");
});
