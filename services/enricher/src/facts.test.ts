// Facts go together into messages, and each batch is told when those it is in are stored.
import { fromBinary } from "@bufbuild/protobuf";
import { BatchListSchema } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { FactsWriter } from "./facts.ts";
import { batchOf, exec } from "./fixture.ts";
import type { Output } from "./output.ts";

const shell = { pid: 100, start: 5_000n, name: "bash" };

function outputOf(name: string): Output {
  return { bytes: batchOf([exec(shell, `/bin/${name}`)]), id: name, events: 1, ancestorsLost: 0 };
}

function setUp(options: { batchesMax?: number; bytesMax?: number; flushMs?: number } = {}) {
  const published: { id: string; names: string[]; stored: () => void }[] = [];
  const writer = new FactsWriter({
    publish: (bytes, id) =>
      new Promise((stored) => {
        const { batches } = fromBinary(BatchListSchema, bytes);
        const names = batches.flatMap(({ events }) =>
          events.map(({ data }) => (data.case === "exec" ? Buffer.from(data.value.executable).toString() : "")),
        );
        published.push({ id, names, stored });
      }),
    batchesMax: 2,
    bytesMax: 1_000_000,
    flushMs: 60_000,
    ...options,
  });
  return { writer, published };
}

test("so many batches make a message, and are done when it is stored", async (t) => {
  const { writer, published } = setUp();
  const done: string[] = [];
  for (const name of ["a", "b", "c"]) void writer.add([outputOf(name)]).then(() => done.push(name));
  t.deepEqual(
    published.map(({ id, names }) => [id, names]),
    [["a+1", ["/bin/a", "/bin/b"]]],
  );
  published[0]?.stored();
  await waitFor(() => done.length === 2, { what: "both are done" });
  writer.flush();
  t.deepEqual(published[1]?.names, ["/bin/c"]);
  t.deepEqual(done, ["a", "b"]);
});

test("what waits is published after a while", async (t) => {
  const { writer, published } = setUp({ batchesMax: 100, flushMs: 1 });
  void writer.add([outputOf("a")]);
  t.is(published.length, 0);
  await waitFor(() => published.length === 1, { what: "it is published" });
});

test("no message is larger than it may be, and a batch in two is done with both", async (t) => {
  const [first, second] = [outputOf("a"), outputOf("b")];
  const { writer, published } = setUp({ batchesMax: 1, bytesMax: first.bytes.length + 4 });
  let isDone = false;
  const done = writer.add([first, second]).then(() => {
    isDone = true;
  });
  t.deepEqual(
    published.map(({ names }) => names),
    [["/bin/a"], ["/bin/b"]],
  );
  published[1]?.stored();
  await new Promise((resolve) => setImmediate(resolve));
  t.false(isDone);
  published[0]?.stored();
  await done;
});

test("without facts there is nothing to wait for", async (t) => {
  const { writer, published } = setUp();
  await writer.add([]);
  writer.flush();
  t.is(published.length, 0);
});
