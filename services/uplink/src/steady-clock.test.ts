// Ages stay right though the host's time is set, the uplink starts again, or the host does.
import test from "ava";
import { steadyClock } from "./steady-clock.ts";
import { freshFolder, remove } from "./testing.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const START_MS = 1_700_000_000_000;

test("a day that is only set is no day, in this life and in the next", (t) => {
  const folder = freshFolder();
  t.teardown(() => remove(folder));
  let [wallMs, sinceBootMs] = [START_MS, 5_000];
  const clocks = { wall: () => wallMs, sinceBoot: () => sinceBootMs, bootId: "boot-1" };
  const clock = steadyClock(folder, clocks);
  t.is(clock(), START_MS);
  wallMs += DAY_MS;
  sinceBootMs += 1_000;
  t.is(clock(), START_MS + 1_000);
  t.is(steadyClock(folder, clocks)(), START_MS + 1_000, "the next life goes on");
  wallMs -= 3 * DAY_MS;
  sinceBootMs += 1_000;
  t.is(steadyClock(folder, clocks)(), START_MS + 2_000);
  const rebooted = { wall: () => START_MS + DAY_MS, sinceBoot: () => 1_000, bootId: "boot-2" };
  t.is(steadyClock(folder, rebooted)(), START_MS + DAY_MS, "another boot begins by the host's clock");
});
