// Outages of 59 seconds to 49 hours, by a clock in hand: how often the portal is tried, and what is told afterwards.
import { Priority } from "@nightjar/proto";
import { Backoff, resolveSettings } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { detectionIn, encodedDetection } from "./encoded.ts";
import { PortalFailure } from "./failure.ts";
import { Outbox } from "./outbox.ts";
import { backoffOptions } from "./retries.ts";
import { runSender } from "./sender.ts";
import { deleteStale } from "./stale.ts";
import { detection, freshFolder, remove } from "./testing.ts";

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;
const MIB = 1024 * 1024;
const YOUNG_AT_MS = 23 * H;
const { uplink } = resolveSettings({}).values;

/** Waits that end when the clock, which only the test moves, comes to their time. */
class Timers {
  nowMs = 0;
  #waiting: { atMs: number; resolve: () => void } | undefined;

  readonly clock = () => this.nowMs;
  readonly wait = (ms: number) =>
    new Promise<void>((resolve) => {
      this.#waiting = { atMs: this.nowMs + ms, resolve };
    });

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Goes to the time at which the wait ends, if that is by `untilMs`, else to `untilMs`; true in the first case. */
  goOn(untilMs: number): boolean {
    const atMs = this.#waiting?.atMs ?? Number.POSITIVE_INFINITY;
    this.nowMs = Math.min(atMs, untilMs);
    return atMs <= untilMs;
  }

  ring(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }
}

/** [how long it is, how often the portal is tried, what is told afterwards: of its beginning, and of its 24th hour] */
const outages: readonly [string, number, number, string[]][] = [
  ["59 s", 59 * S, 8, ["of its beginning"]],
  ["61 s", 61 * S, 9, ["of its beginning"]],
  ["23 h 59 min", 24 * H - MIN, 32, ["of its 24th hour", "of its beginning"]],
  ["24 h 1 min", 24 * H + MIN, 32, ["of its 24th hour"]],
  ["47 h", 47 * H - 1, 55, ["of its 24th hour"]],
  ["49 h", 49 * H, 55, []],
];

for (const [name, durationMs, tries, told] of outages) {
  test(`an outage of ${name}: ${tries} tries, told afterwards: ${told.join(", ") || "nothing"}`, async (t) => {
    const folder = freshFolder();
    const timers = new Timers();
    const { clock } = timers;
    const outbox = await Outbox.open(folder, { bytesMax: MIB, clock, evicted: () => {}, broken: () => {} });
    const abort = new AbortController();
    const calls: string[][] = [];
    let isBack = false;
    const running = runSender(
      {
        outbox,
        send: async (detections) => {
          calls.push(detections.map((encoded) => detectionIn({ encoded }).output));
          if (!isBack) throw new PortalFailure("unreachable", "Connection Failed: network unreachable", "");
        },
        backoff: new Backoff({ ...backoffOptions(uplink), jitter: 0 }, clock),
        wait: timers.wait,
        sent: () => {},
        failed: () => {},
        refused: () => t.fail(),
      },
      abort.signal,
    );
    t.teardown(async () => {
      abort.abort();
      await running;
      await outbox.close();
      remove(folder);
    });
    const settled = () => waitFor(() => timers.isWaiting || outbox.count === 0, { what: "the sender waits" });
    const passUntil = async (untilMs: number) => {
      for (let more = true; more; ) {
        more = timers.goOn(untilMs);
        await deleteStale(outbox, clock, uplink.stale_after_h);
        if (more) timers.ring();
        await settled();
      }
    };

    await outbox.add([detection({ output: "of its beginning", priority: Priority.NOTICE })].map(encodedDetection));
    await settled();
    await passUntil(Math.min(YOUNG_AT_MS, durationMs));
    if (durationMs > YOUNG_AT_MS)
      await outbox.add([detection({ output: "of its 24th hour", priority: Priority.ALERT })].map(encodedDetection));
    await passUntil(durationMs);
    t.is(calls.length, tries);
    isBack = true;
    // As the heartbeat does that is answered.
    timers.ring();
    await waitFor(() => outbox.count === 0, { what: "an empty outbox" });
    t.deepEqual(calls.slice(tries).flat(), told);
  });
}
