// The breaker: when calls are kept back, for how long, and what ends it.
import { Code, ConnectError } from "@connectrpc/connect";
import test from "ava";
import { Breaker, HOLD_MS_MAX } from "./breaker.ts";
import { failureOf, PortalFailure } from "./failure.ts";

const OPEN_MS = 30_000;

function breakerAt(random = 0) {
  let nowMs = 1_000;
  const breaker = new Breaker({ failuresMax: 3, openMs: OPEN_MS, clock: () => nowMs, random: () => random });
  return { breaker, pass: (ms: number) => (nowMs += ms) };
}

const sick = () => failureOf(new ConnectError("the store failed", Code.Unavailable));
const pushedBack = (name: string, value: string, nowMs = 0) =>
  failureOf(new ConnectError("busy", Code.ResourceExhausted, { [name]: value }), () => nowMs);

test("it opens after so many sick answers in a row, and lets one call through when its time is over", (t) => {
  const { breaker, pass } = breakerAt();
  breaker.failed(sick());
  breaker.failed(sick());
  breaker.succeeded();
  breaker.failed(sick());
  breaker.failed(sick());
  t.notThrows(() => breaker.assertOpenRoad());
  breaker.failed(sick());
  const held = t.throws(() => breaker.assertOpenRoad(), { instanceOf: PortalFailure });
  t.deepEqual([held?.kind, held?.resp], ["held", "the next call is in 30000 ms"]);
  pass(OPEN_MS);
  t.notThrows(() => breaker.assertOpenRoad());
  breaker.failed(sick());
  t.is(breaker.heldMs, OPEN_MS, "the one that was let through was no better");
  pass(OPEN_MS);
  breaker.succeeded();
  breaker.failed(sick());
  t.is(breaker.heldMs, 0);
});

test("what is no sickness of the portal's does not open it", (t) => {
  const { breaker } = breakerAt();
  const kinds = [Code.InvalidArgument, Code.Unauthenticated, Code.PermissionDenied];
  for (let round = 0; round < 10; round++) {
    for (const code of kinds) breaker.failed(failureOf(new ConnectError("no", code)));
    breaker.failed(new PortalFailure("dns", "dns error", ""));
    breaker.failed(new PortalFailure("refused", "Connection Failed: connection refused", ""));
  }
  t.is(breaker.heldMs, 0);
});

/** [header or trailer, its value, how long no call may be made] */
const pushBacks: readonly [string, string, number][] = [
  ["grpc-retry-pushback-ms", "1500", 1_500],
  // "Do not retry" (gRFC A6): no answer but the longest time.
  ["grpc-retry-pushback-ms", "-1", HOLD_MS_MAX],
  ["grpc-retry-pushback-ms", "soon", HOLD_MS_MAX],
  ["retry-after", "7", 7_000],
  ["retry-after", "Thu, 01 Jan 1970 00:01:00 GMT", 60_000],
  ["retry-after", "999999999", HOLD_MS_MAX],
  ["retry-after", "Wed, 31 Dec 1969 00:00:00 GMT", 0],
  ["retry-after", "whenever", 0],
];

for (const [name, value, ms] of pushBacks) {
  test(`${name}: ${value} holds for ${ms} ms`, (t) => {
    const { breaker } = breakerAt();
    breaker.failed(pushedBack(name, value));
    t.is(breaker.heldMs, ms);
    breaker.networkReturned();
    t.is(breaker.heldMs, ms, "no network's return ends what the portal asked for");
  });
}

test("a fleet does not come back at once", (t) => {
  const held = [0, 0.5, 1].map((random) => {
    const { breaker } = breakerAt(random);
    breaker.failed(pushedBack("retry-after", "10"));
    return breaker.heldMs;
  });
  t.deepEqual(held, [10_000, 12_500, 15_000]);
});

test("the network's return ends what only silence had begun", (t) => {
  const { breaker } = breakerAt();
  for (let at = 0; at < 3; at++) breaker.failed(new PortalFailure("timeout", "Connection Failed: timed out", ""));
  t.is(breaker.heldMs, OPEN_MS);
  breaker.networkReturned();
  t.is(breaker.heldMs, 0);
});
