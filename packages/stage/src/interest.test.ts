// What the holders of interest want becomes one set; what cannot be read changes nothing.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { InterestSchema } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { followInterest } from "./interest.ts";
import type { Stage } from "./stage.ts";

/** A stage whose INTEREST is what the test says. */
function followed() {
  const warnings: string[] = [];
  const sets: number[][] = [];
  let say: (bytes: Uint8Array, subject: string) => void = () => undefined;
  const stage = {
    bus: {
      follow(_: string, handle: typeof say) {
        say = handle;
      },
    },
    log: { warn: (message: string) => void warnings.push(message) },
  } as unknown as Stage;
  const costly: boolean[][] = [];
  followInterest(stage, (wanted, { environment, data }) => {
    sets.push([...wanted.keys()].sort());
    costly.push([environment, data]);
  });
  return { warnings, sets, costly, say: (bytes: Uint8Array, subject: string) => say(bytes, subject) };
}

const encode = (interest: MessageInitShape<typeof InterestSchema>) =>
  toBinary(InterestSchema, create(InterestSchema, interest));
const wants = (...eventTypes: number[]) => encode({ eventTypes });

test("the set is the union of the last values", (t) => {
  const { say, sets } = followed();
  say(wants(35), "nightjar.interest.a");
  say(wants(32, 35), "nightjar.interest.b");
  say(wants(36), "nightjar.interest.a");
  t.deepEqual(sets, [[35], [32, 35], [32, 35, 36]]);
});

test("environment and data are wanted as long as anyone wants them", (t) => {
  const { say, costly } = followed();
  say(encode({ eventTypes: [32], environment: true }), "nightjar.interest.a");
  say(wants(35), "nightjar.interest.b");
  say(encode({ eventTypes: [35], data: true }), "nightjar.interest.b");
  say(wants(32), "nightjar.interest.a");
  t.deepEqual(costly, [
    [true, false],
    [true, false],
    [true, true],
    [false, true],
  ]);
});

test("a value that cannot be read is said, and what was known stays", (t) => {
  const { say, sets, warnings } = followed();
  say(wants(35), "nightjar.interest.a");
  say(new Uint8Array([255, 255]), "nightjar.interest.a");
  t.deepEqual(sets, [[35]]);
  t.is(warnings.length, 1);
});

test("a holder withdraws by wanting nothing", (t) => {
  const { say, sets } = followed();
  say(wants(35), "nightjar.interest.a");
  say(wants(36), "nightjar.interest.b");
  say(wants(), "nightjar.interest.a");
  t.deepEqual(sets, [[35], [35, 36], [36]]);
});

test("what comes late does not take back what was said after it", (t) => {
  const { say, sets } = followed();
  say(encode({ eventTypes: [35, 36], revision: 2n }), "nightjar.interest.a");
  say(encode({ eventTypes: [35], revision: 1n }), "nightjar.interest.a");
  t.deepEqual(sets, [[35, 36]]);
});

test("a holder that does not renew its lease is gone", async (t) => {
  const { say, sets } = followed();
  say(wants(35), "nightjar.interest.a");
  say(encode({ eventTypes: [36], leaseS: 1 }), "nightjar.interest.b");
  await waitFor(() => sets.length === 3, { what: "the lease is over" });
  t.deepEqual(sets, [[35], [35, 36], [35]]);
});
