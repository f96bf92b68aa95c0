// Every event type says its category and its arguments in Falco's words.
import { getOption } from "@bufbuild/protobuf";
import { eventTypes, evt_category } from "@nightjar/proto";
import test from "ava";
import { ARGUMENTS, eventsWithArgument } from "./arguments.ts";

/** The values of evt.category, as Falco's library prints them. */
const CATEGORIES = new Set(
  "file net ipc memory process signal system user time wait sleep scheduler IO-read IO-write IO-other other".split(" "),
);

for (const { name, field } of eventTypes) {
  test(`${name} says its category`, (t) => {
    const category = field.message ? getOption(field.message, evt_category) : "";
    t.true(CATEGORIES.has(category), `evt_category is "${category}"`);
  });
}

test("an argument's name stands once in the list of a call", (t) => {
  for (const { type, byCall } of ARGUMENTS) {
    for (const list of byCall.values()) {
      const names = list.map(({ name }) => name);
      t.deepEqual([...new Set(names)], names, type.name);
    }
  }
});

test("an argument limits a rule to the event types that have it", (t) => {
  const named = (wanted: string) =>
    eventsWithArgument(wanted).map((id) => eventTypes.find((type) => type.id === id)?.name ?? "");
  t.deepEqual(named("request"), ["ptrace"]);
  t.true(named("flags").includes("open"));
  t.false(named("flags").includes("exit"));
  t.deepEqual(named("no_such"), []);
});
