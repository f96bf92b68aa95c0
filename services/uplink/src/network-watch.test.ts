// Which changes of the network are worth a try, and which are none.
import test from "ava";
import { networkFingerprint, networkWatch } from "./network-watch.ts";

test("only a change while the portal is not reached counts, once each", (t) => {
  let network = "eth0 up";
  const noted: (() => void)[] = [];
  const link = {
    failed: false,
    networkReturned: () => void told.push("link"),
    onFailure: (note: () => void) => void noted.push(note),
  };
  const fail = () => {
    link.failed = true;
    for (const note of noted) note();
  };
  const told: string[] = [];
  const look = networkWatch({
    link,
    breaker: { networkReturned: () => void told.push("breaker") },
    fingerprint: () => network,
    changed: () => void told.push("changed"),
  });
  look();
  network = "eth0 up, wlan0 up";
  look();
  t.deepEqual(told, [], "the portal was reached");
  fail();
  look();
  look();
  t.deepEqual(told, [], "nothing changed");
  network = "wlan0 up";
  look();
  t.deepEqual(told.splice(0), ["changed", "breaker", "link"]);
  look();
  t.deepEqual(told, []);
  link.failed = false;
  look();
  network = "eth0 up";
  fail();
  look();
  t.deepEqual(told, [], "it changed before the portal was missed");
  link.failed = false;
  fail();
  network = "wlan0 up";
  look();
  t.deepEqual(told, ["changed", "breaker", "link"], "it changed at once");
});

test("a network that stays as it is has the same fingerprint", (t) => {
  t.is(networkFingerprint(), networkFingerprint());
  t.regex(networkFingerprint(), /^lo 127\.0\.0\.1\/8$/m);
});
