// What the holders of interest say last is told, and what they want together; what cannot be read changes nothing.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { InterestSchema } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { followInterest, haveStagesSpoken, LEASES_MAX, wantedBy, wantedOf } from "./interest.ts";
import type { Stage } from "./stage.ts";
import { streamOf } from "./streams.ts";

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
      listen: () => undefined,
    },
    log: { warn: (message: string) => void warnings.push(message) },
  } as unknown as Stage;
  const told: boolean[] = [];
  const ofEvents: (number[] | undefined)[] = [];
  followInterest(stage, (holders) => {
    sets.push([...wantedBy(holders).keys()].sort());
    told.push(haveStagesSpoken(holders));
    const wanted = wantedOf("EVENTS", holders);
    ofEvents.push(wanted && [...wanted.keys()]);
  });
  return { warnings, sets, told, ofEvents, say: (bytes: Uint8Array, subject: string) => say(bytes, subject) };
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

test("all stages that hold an interest have spoken only when each has", (t) => {
  const { say, told } = followed();
  const { writers } = streamOf("INTEREST");
  say(wants(36), "nightjar.interest.operator.a");
  for (const stage of writers) say(wants(35), `nightjar.interest.${stage}`);
  t.deepEqual(told, [false, ...writers.map((_, at) => at === writers.length - 1)]);
});

test("what is wanted of EVENTS is what its readers want, and not known before they have spoken", (t) => {
  const { say, ofEvents } = followed();
  say(wants(32), "nightjar.interest.enricher");
  say(wants(36), "nightjar.interest.operator.a");
  say(wants(35), "nightjar.interest.rule-engine");
  t.deepEqual(ofEvents, [undefined, undefined, [35]]);
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

test("what is said again is not told again", (t) => {
  const { say, sets } = followed();
  for (let times = 0; times < 3; times++) say(wants(35), "nightjar.interest.a");
  t.deepEqual(sets, [[35]]);
});

test("who does not renew a lease is gone", async (t) => {
  const { say, sets } = followed();
  say(wants(35), "nightjar.interest.a");
  say(encode({ eventTypes: [36], leaseS: 1 }), "nightjar.interest.operator.b");
  await waitFor(() => sets.length === 3, { what: "the lease is over" });
  t.deepEqual(sets, [[35], [35, 36], [35]]);
});

test("a lease is given up by wanting nothing, and makes room for another", (t) => {
  const { say, sets, warnings } = followed();
  for (let n = 0; n <= LEASES_MAX; n++) say(wants(32 + n), `nightjar.interest.operator.${n}`);
  t.is(sets.length, LEASES_MAX);
  t.is(warnings.length, 1);
  say(wants(), "nightjar.interest.operator.0");
  say(wants(32 + LEASES_MAX), `nightjar.interest.operator.${LEASES_MAX}`);
  t.deepEqual(sets.at(-1)?.at(-1), 32 + LEASES_MAX);
});
