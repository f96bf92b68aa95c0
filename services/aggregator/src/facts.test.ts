// The batches of a message of FACTS are those that the enricher put there, byte for byte.
import { create, toBinary } from "@bufbuild/protobuf";
import { WireError } from "@nightjar/events";
import { BatchListSchema, BatchSchema } from "@nightjar/proto";
import test from "ava";
import { readBatches } from "./facts.ts";

const batches = [1n, 2n].map((firstPosition) => create(BatchSchema, { firstPosition, bootId: new Uint8Array(16) }));

test("the batches of a list, as they are", (t) => {
  const list = toBinary(BatchListSchema, create(BatchListSchema, { batches }));
  t.deepEqual(
    readBatches(list).map((bytes) => Buffer.from(bytes)),
    batches.map((batch) => Buffer.from(toBinary(BatchSchema, batch))),
  );
  t.deepEqual(readBatches(new Uint8Array(0)), []);
});

test("bytes that are no message are told", (t) => {
  t.throws(() => readBatches(Uint8Array.of(10, 200)), { instanceOf: WireError });
});
