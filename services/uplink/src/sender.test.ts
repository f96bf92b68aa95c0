// The sender and its link, with a portal, a clock and timers in hand.
import { Priority } from "@nightjar/proto";
import { Backoff } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { detectionIn, encodedDetection } from "./encoded.ts";
import { PortalFailure } from "./failure.ts";
import { Link } from "./link.ts";
import { type Entry, Outbox } from "./outbox.ts";
import { runSender, type SenderOptions } from "./sender.ts";
import { detection, freshFolder, remove } from "./testing.ts";

/** Ample: the machine may be busy with other things. */
const WAIT_MS = 30_000;

const MIB = 1024 * 1024;
const refusedConnection = () => new PortalFailure("refused", "Connection Failed: connection refused", "");

async function setUp(t: { teardown: (fn: () => void | Promise<void>) => void }, over: Partial<SenderOptions> = {}) {
  const folder = freshFolder();
  const outbox = await Outbox.open(folder, {
    bytesMax: 64 * MIB,
    clock: Date.now,
    evicted: () => {},
    broken: () => {},
  });
  const abort = new AbortController();
  const calls: string[][] = [];
  const waits: number[] = [];
  let answer: () => Promise<void> = async () => {};
  const options: SenderOptions = {
    outbox,
    send: (detections) => {
      calls.push(detections.map((encoded) => detectionIn({ encoded }).output));
      return answer();
    },
    backoff: new Backoff(
      { baseMs: 100, maxMs: 800, jitter: 0, fastWindowMs: 60_000, slowIntervalMs: 3_600_000 },
      () => 0,
    ),
    wait: async (ms) => void waits.push(ms),
    sent: () => {},
    failed: () => {},
    refused: () => {},
    ...over,
  };
  const running = runSender(options, abort.signal);
  t.teardown(async () => {
    abort.abort();
    await running;
    await outbox.close();
    remove(folder);
  });
  return { outbox, calls, waits, setAnswer: (next: () => Promise<void>) => (answer = next) };
}

test("one that is alone goes at once; what comes while a call runs goes together", async (t) => {
  const { outbox, calls, setAnswer } = await setUp(t);
  let release = () => {};
  setAnswer(() => new Promise((resolve) => (release = resolve)));
  await outbox.add([detection({ output: "1" })].map(encodedDetection));
  await waitFor(() => calls.length === 1, { what: "the first call", timeoutMs: WAIT_MS });
  for (const output of ["2", "3", "4"]) await outbox.add([detection({ output })].map(encodedDetection));
  setAnswer(async () => {});
  release();
  await waitFor(() => outbox.count === 0, { what: "an empty outbox", timeoutMs: WAIT_MS });
  t.deepEqual(calls, [["1"], ["2", "3", "4"]]);
});

test("after an outage the worst goes first, and waits grow until it is over", async (t) => {
  const { outbox, calls, waits, setAnswer } = await setUp(t);
  let failures = 0;
  setAnswer(async () => {
    if (++failures <= 4) throw refusedConnection();
  });
  await outbox.add(
    [
      detection({ output: "debug", priority: Priority.DEBUG }),
      detection({ output: "emergency", priority: Priority.EMERGENCY }),
      detection({ output: "error", priority: Priority.ERROR }),
    ].map(encodedDetection),
  );
  await waitFor(() => outbox.count === 0, { what: "an empty outbox", timeoutMs: WAIT_MS });
  t.deepEqual(waits, [100, 200, 400, 800]);
  t.deepEqual(calls.at(-1), ["emergency", "error", "debug"]);
  t.is(calls.length, 5);
});

test("one that the portal will never take is set aside and holds up no other", async (t) => {
  const refused: Entry[] = [];
  const { outbox, calls, waits, setAnswer } = await setUp(t, { refused: (entry) => void refused.push(entry) });
  setAnswer(async () => {
    const index = calls.at(-1)!.indexOf("bad");
    if (index < 0) return;
    throw new PortalFailure("comm", "comm error (400)", `detections[${index}].rule: a name`, undefined, {
      refusedIndex: index,
    });
  });
  await outbox.add(["good", "bad", "good too"].map((output) => detection({ output })).map(encodedDetection));
  await waitFor(() => outbox.count === 0, { what: "an empty outbox", timeoutMs: WAIT_MS });
  t.deepEqual(
    refused.map((entry) => detectionIn(entry).output),
    ["bad"],
  );
  t.deepEqual(calls.at(-1), ["good", "good too"]);
  t.deepEqual(waits, []);
});

function linkWith(logged: string[]) {
  const issues: string[] = [];
  let nowMs = 0;
  const link = new Link({
    log: { error: (message) => void logged.push(message), info: (message) => void logged.push(message) },
    raise: (message) => void issues.push(message),
    resolve: () => void issues.push("resolved"),
    failed: () => {},

    clock: () => nowMs,
  });
  return { link, issues, pass: (ms: number) => (nowMs += ms) };
}

test("an hour's wait ends when the portal answers something else", async (t) => {
  const { link } = linkWith([]);
  link.down(refusedConnection());
  const timers: number[] = [];
  let cancelled = 0;
  const waiting = link.wait(3_600_000, new AbortController().signal, (_, ms) => {
    timers.push(ms);
    return () => void cancelled++;
  });
  link.up();
  await waiting;
  t.deepEqual([timers, cancelled], [[3_600_000], 1]);
});

test("an error is logged when it begins, when it changes, and then once a minute", (t) => {
  const logged: string[] = [];
  const { link, issues, pass } = linkWith(logged);
  for (let at = 0; at < 59; at++) {
    link.down(refusedConnection());
    pass(1_000);
  }
  t.deepEqual(logged, ["Connection Failed: connection refused"]);
  link.down(new PortalFailure("comm", "comm error (401)", "wrong token"));
  t.is(logged.at(-1), "comm error (401)");
  pass(60_000);
  link.down(new PortalFailure("comm", "comm error (401)", "wrong token"));
  t.is(logged.length, 3);
  link.up();
  link.up();
  t.is(logged.at(-1), "the portal is reached again");
  t.is(issues.filter((one) => one === "resolved").length, 1);
});

test("a portal that is not there yet is no error in the first seconds", (t) => {
  const logged: string[] = [];
  const { link, pass } = linkWith(logged);
  const absent = new PortalFailure("absent", "the portal is not there yet", "");
  link.down(absent);
  pass(14_000);
  link.down(absent);
  t.deepEqual(logged, []);
  pass(1_000);
  link.down(absent);
  t.deepEqual(logged, ["the portal is not there yet"]);
});
