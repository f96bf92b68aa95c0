// Users and groups in the arguments of events get their names, each once, and only where they have one.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, ForkSchema } from "@nightjar/proto";
import test from "ava";
import { NamedIds } from "./named-ids.ts";
import { EventHeader } from "./scan.ts";
import type { UserNames } from "./users.ts";

const utf8 = new TextEncoder();
const NAMES: UserNames = {
  generation: 0,
  user: (uid) => utf8.encode(["root", "daemon", ""][uid] ?? ""),
  group: (gid) => utf8.encode(["wheel"][gid] ?? ""),
  of: () => NAMES,
};
const TYPE = 33;
const FORK = ForkSchema.field;
// Any event's numbers will do: here a fork's stand for ids.
const FIELDS = new Map([
  [
    TYPE,
    new Map([
      [FORK.childPid.number, "user" as const],
      [FORK.childParentPid.number, "user" as const],
      [FORK.childNamespacedPid.number, "group" as const],
    ]),
  ],
]);

function header(type: number, bytes: Uint8Array): EventHeader {
  return Object.assign(new EventHeader(), { type, dataStart: 0, dataEnd: bytes.length });
}

test("ids are named once, what has no name is left out, what is absent is root", (t) => {
  const ids = new NamedIds(FIELDS);
  ids.begin(NAMES);
  const bytes = toBinary(ForkSchema, create(ForkSchema, { childPid: 1, childParentPid: 2 }));
  ids.add(bytes, header(TYPE, bytes));
  ids.add(bytes, header(TYPE, bytes));
  const batch = fromBinary(BatchSchema, ids.encode());
  t.like(batch.users, [{ id: 1, name: "daemon" }]);
  t.is(batch.users.length, 1);
  t.like(batch.groups, [{ id: 0, name: "wheel" }]);
});

test("other event types, and the batch after, have none", (t) => {
  const ids = new NamedIds(FIELDS);
  ids.begin(NAMES);
  const bytes = toBinary(ForkSchema, create(ForkSchema, { childPid: 1 }));
  ids.add(bytes, header(TYPE + 1, bytes));
  t.is(ids.encode().length, 0);
  ids.add(bytes, header(TYPE, bytes));
  t.true(ids.encode().length > 0);
  ids.begin(NAMES);
  t.is(ids.encode().length, 0);
});
