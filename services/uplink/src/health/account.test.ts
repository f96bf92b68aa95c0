// What an outage cost is told once: kept, given up, dropped, not watched; also over the uplink's own death.
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { DropReason, LedgerEntrySchema, type StageStatus, StageStatusSchema } from "@nightjar/proto";
import test from "ava";
import { type AccountState, accountFromJson, OutageAccount } from "./account.ts";

const START_MS = 1_800_000_000_000;

/** Counters of an uplink's process. */
function counters(values: Record<string, number>) {
  return (name: string) => values[name] ?? 0;
}

function collector(source: string, ringFull: bigint, watchingSinceMs?: number): StageStatus {
  const drops = [{ reason: DropReason.RING_FULL, count: ringFull }];
  const facts = { source, ...(watchingSinceMs && { watching_since: new Date(watchingSinceMs).toISOString() }) };
  return create(StageStatusSchema, {
    ...{ stage: "collector", ready: true, facts },
    ledger: [create(LedgerEntrySchema, { type: 1, drops }), create(LedgerEntrySchema, { type: 2, drops })],
  });
}

const again = (state: AccountState) => new OutageAccount(accountFromJson(JSON.parse(JSON.stringify(state))));

test("while all is well there is nothing to tell, whatever was sent", (t) => {
  const account = new OutageAccount();
  account.look([collector("boot:1", 0n)], counters({ detections_sent: 100 }), START_MS);
  const { message } = account.tell(2);
  t.deepEqual([message.reason, message.detectionsKept, message.givenUp, message.blind], ["", 2n, {}, []]);
});

test("an outage: what waits and what was sent since, what was deleted, what the kernel dropped", (t) => {
  const account = new OutageAccount();
  account.look([collector("boot:1", 10n)], counters({ detections_sent: 100, detections_stale: 4 }), START_MS);
  account.heard(account.tell(0), START_MS);
  account.failed("dns error");
  account.failed("Connection Failed: timed out");
  account.look([collector("boot:1", 13n)], counters({ detections_sent: 103, detections_stale: 9 }), START_MS + 1);
  const { message } = account.tell(5);
  t.deepEqual(
    [timestampMs(message.since!), message.reason, message.detectionsKept, message.givenUp, message.eventsDropped],
    [START_MS, "dns error", 8n, { detections_stale: 5n }, { ring_full: 6n }],
  );
});

test("what comes between the heartbeat and its answer is for the next", (t) => {
  const account = new OutageAccount();
  account.look([collector("boot:1", 1n)], counters({ detections_evicted: 1 }), START_MS);
  const told = account.tell(0);
  account.look([collector("boot:1", 2n)], counters({ detections_evicted: 4 }), START_MS + 1);
  account.heard(told, START_MS + 2);
  const { message } = account.tell(0);
  t.deepEqual([message.givenUp, message.eventsDropped], [{ detections_evicted: 3n }, { ring_full: 2n }]);
});

test("over the death of the uplink the account goes on, and its counters begin at 0 again", (t) => {
  const account = new OutageAccount();
  account.failed("dns error");
  account.look([collector("boot:1", 1n)], counters({ detections_sent: 3, detections_stale: 2 }), START_MS);
  const next = again(account.state);
  next.look([collector("boot:1", 4n)], counters({ detections_sent: 1, detections_stale: 5 }), START_MS + 1);
  const { message } = next.tell(0);
  t.deepEqual(
    [message.reason, message.detectionsKept, message.givenUp, message.eventsDropped],
    ["dns error", 4n, { detections_stale: 7n }, { ring_full: 8n }],
  );
});

test("a collector that found nothing to take over: blind since it was last seen to watch", (t) => {
  const account = new OutageAccount();
  account.look([collector("boot:1", 7n)], counters({}), START_MS);
  const next = again(account.state);
  next.look([], counters({}), START_MS + 50_000);
  next.look([collector("boot:2", 1n, START_MS + 60_000)], counters({}), START_MS + 61_000);
  next.look([collector("boot:2", 1n, START_MS + 60_000)], counters({}), START_MS + 62_000);
  const { message } = next.tell(0);
  t.deepEqual(
    message.blind.map(({ from, until }) => [timestampMs(from!), timestampMs(until!)]),
    [[START_MS, START_MS + 60_000]],
  );
  t.deepEqual(message.eventsDropped, { ring_full: 16n }, "a new ring's counters begin at 0");
  next.heard(next.tell(0), START_MS + 63_000);
  t.deepEqual(next.tell(0).message.blind, []);
});

test("a collector that took over the pinned probe, or its upgrade: nothing was missed", (t) => {
  const account = new OutageAccount();
  account.look([collector("boot:1", 0n)], counters({}), START_MS);
  account.look([], counters({}), START_MS + 50_000);
  account.look([collector("boot:1", 0n)], counters({}), START_MS + 60_000);
  account.look([collector("boot:2", 0n)], counters({}), START_MS + 70_000);
  t.deepEqual(account.tell(0).message.blind, []);
});

test("what is no account is said to be none", (t) => {
  for (const bad of [null, {}, [], { reason: "", sent: "x", givenUp: {}, dropped: {}, blind: [] }]) {
    t.throws(() => accountFromJson(bad), { instanceOf: TypeError });
  }
});
