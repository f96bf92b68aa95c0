// Tests that changes are said together, each once, in messages of a bounded size.
import { fromBinary } from "@bufbuild/protobuf";
import { ChangedSchema } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { CHANGED_IDS_MAX, Changes } from "./changes.ts";

function listen() {
  const said: string[][] = [];
  return { said, changes: new Changes((bytes) => said.push(fromBinary(ChangedSchema, bytes).containerIds)) };
}

test("what changes within a moment is one message", async (t) => {
  const { said, changes } = listen();
  changes.add(["a", "b"]);
  changes.add(["b", "c"]);
  changes.add([]);
  await waitFor(() => said.length > 0, { what: "it is said" });
  changes.add([]);
  changes.flush();
  t.deepEqual(said, [["a", "b", "c"]]);
});

test("too many for one message are several", (t) => {
  const { said, changes } = listen();
  changes.add(Array.from({ length: CHANGED_IDS_MAX + 1 }, (_, index) => `${index}`));
  changes.flush();
  t.deepEqual(
    said.map(({ length }) => length),
    [CHANGED_IDS_MAX, 1],
  );
});
