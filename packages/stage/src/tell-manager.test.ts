// The service manager hears of the start, of work that advances, of work that does not, and of the stop.

import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { Progress } from "./progress.ts";
import { ManagerNotifier } from "./tell-manager.ts";

const WATCHDOG_MS = 40;

test("the watchdog is fed while work advances, and not while it hangs", async (t) => {
  const said: string[] = [];
  const errors: string[] = [];
  let now = 0;
  let looks = 0;
  const progress = new Progress(() => now);
  progress.check(() => ++looks > 0);
  const stopping = new AbortController();
  const notifier = new ManagerNotifier({
    manager: {
      watchdogMs: WATCHDOG_MS,
      notify: (assignments) => said.push(...Object.keys(assignments)) > 0,
    },
    progress,
    log: { error: (message) => errors.push(message) },
    signal: stopping.signal,
    describe: () => "7 events/s",
  });
  t.deepEqual(said.splice(0), ["EXTEND_TIMEOUT_USEC", "STATUS"]);
  notifier.ready();
  t.deepEqual(said.splice(0), ["READY", "STATUS", "WATCHDOG"]);
  await waitFor(() => said.includes("WATCHDOG"), { what: "it is fed again" });
  progress.begin();
  now += WATCHDOG_MS;
  await waitFor(() => errors.length === 1, { what: "the hang is said" });
  said.splice(0);
  const looksBefore = looks;
  await waitFor(() => looks > looksBefore + 3, { what: "it has looked again" });
  t.deepEqual(said, []);
  progress.advance();
  await waitFor(() => said.includes("WATCHDOG"), { what: "it is fed again" });
  stopping.abort();
  t.deepEqual(said.slice(-2), ["STOPPING", "STATUS"]);
});
