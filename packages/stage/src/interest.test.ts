// What the holders of interest want becomes one set; what cannot be read changes nothing.
import { create, toBinary } from "@bufbuild/protobuf";
import { InterestSchema } from "@nightjar/proto";
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
  followInterest(stage, (types) => void sets.push([...types].sort()));
  return { warnings, sets, say: (bytes: Uint8Array, subject: string) => say(bytes, subject) };
}

const wants = (...eventTypes: number[]) => toBinary(InterestSchema, create(InterestSchema, { eventTypes }));

test("the set is the union of the last values", (t) => {
  const { say, sets } = followed();
  say(wants(35), "nightjar.interest.a");
  say(wants(32, 35), "nightjar.interest.b");
  say(wants(36), "nightjar.interest.a");
  t.deepEqual(sets, [[35], [32, 35], [32, 35, 36]]);
});

test("a value that cannot be read is said, and what was known stays", (t) => {
  const { say, sets, warnings } = followed();
  say(wants(35), "nightjar.interest.a");
  say(new Uint8Array([255, 255]), "nightjar.interest.a");
  t.deepEqual(sets, [[35]]);
  t.is(warnings.length, 1);
});
