// Batches read without decoding them, against protobuf-es; and bytes that are no batch.
import { create, toBinary } from "@bufbuild/protobuf";
import { type Batch, BatchSchema, EventSchema, eventTypes, ProcessSchema } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { BatchReader } from "./batch-reader.ts";
import { sourceIdOf } from "./source-id.ts";
import { WireError } from "./wire.ts";

const event = fc
  .record({
    position: fc.maxSafeNat(),
    timeNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    pid: fc.nat(),
    type: fc.constantFrom(undefined, ...eventTypes),
  })
  .map(({ position, timeNs, pid, type }) => {
    const message = create(EventSchema, { position: BigInt(position), timeNs, pid });
    // Which type it is shows in the number alone, so its contents may be empty.
    if (type?.field.message)
      message.data = { case: type.member, value: create(type.field.message) } as typeof message.data;
    return message;
  });

/** Parents may stand anywhere in the table, but each line ends. */
const processes = fc
  .array(fc.nat(), { maxLength: 8 })
  .map((parents) => parents.map((parent, row) => create(ProcessSchema, { pid: row + 1, parent: parent % (row + 1) })));

const batch: fc.Arbitrary<Batch> = fc
  .record({
    bootId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    epoch: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    first: fc.nat(),
    length: fc.nat(),
    bootTimeUnixNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    events: fc.array(event, { maxLength: 8 }),
    processes,
    actors: fc.array(fc.nat(), { maxLength: 8 }),
  })
  .map(({ first, length, actors, ...rest }) => {
    const rows = rest.processes.length;
    return create(BatchSchema, {
      ...rest,
      firstPosition: BigInt(first),
      nextPosition: BigInt(first + length),
      actors: actors.slice(0, rest.events.length).map((actor) => actor % (rows + 1)),
    });
  });

function expectedLineage({ processes: rows }: Batch, actor: number): number[] {
  const lineage: number[] = [];
  for (let row = actor; row >= 0; row = (rows[row]?.parent ?? 0) - 1) lineage.push(row);
  return lineage;
}

test("reads what protobuf-es wrote", (t) => {
  fc.assert(
    fc.property(batch, (message) => {
      const reader = new BatchReader(toBinary(BatchSchema, message));
      t.deepEqual(Uint8Array.from(reader.bootId), message.bootId);
      t.is(reader.epoch, message.epoch);
      t.is(reader.firstPosition, Number(message.firstPosition));
      t.is(reader.nextPosition, Number(message.nextPosition));
      t.is(reader.bootTimeUnixNs, message.bootTimeUnixNs);
      t.is(reader.length, message.events.length);
      t.is(reader.processCount, message.processes.length);
      const source = `${Buffer.from(message.bootId).toString("hex")}:${message.epoch.toString(16).padStart(16, "0")}`;
      t.is(reader.id, `${source}:${message.firstPosition}-${message.nextPosition}`);
      for (const [index, { position, data }] of message.events.entries()) {
        t.is(reader.eventType(index), eventTypes.find(({ member }) => member === data.case)?.id ?? 0);
        t.is(reader.eventId(index), `${source}:${position}`);
        t.is(reader.actor(index), (message.actors[index] ?? 0) - 1);
        t.deepEqual(reader.lineage(index), expectedLineage(message, (message.actors[index] ?? 0) - 1));
      }
    }),
  );
});

/** Everything that can be asked of a batch. */
function readAll(bytes: Uint8Array): void {
  const reader = new BatchReader(bytes);
  for (let index = 0; index < reader.length; index++) {
    reader.eventType(index);
    reader.eventId(index);
    reader.lineage(index);
  }
  for (let row = 0; row < reader.processCount; row++) reader.parent(row);
}

function endsInPeace(bytes: Uint8Array): string | undefined {
  try {
    readAll(bytes);
    return undefined;
  } catch (error) {
    return error instanceof WireError ? undefined : String((error as Error).stack);
  }
}

test("any bytes are a batch or a WireError", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 96 }), (bytes) => {
      t.is(endsInPeace(bytes), undefined);
    }),
    { numRuns: 2_000 },
  );
});

test("a batch with some bytes changed or cut off is a batch or a WireError", (t) => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(batch, changes, fc.nat(), (message, changed, cut) => {
      const bytes = toBinary(BatchSchema, message);
      for (const [place, value] of changed) bytes[place % bytes.length] = value;
      t.is(endsInPeace(bytes), undefined);
      t.is(endsInPeace(bytes.subarray(0, cut % bytes.length)), undefined);
    }),
    { numRuns: 1_000 },
  );
});

const head = { bootId: new Uint8Array(16), nextPosition: 9n };

for (const [what, bytes] of [
  ["no boot id", toBinary(BatchSchema, create(BatchSchema, { nextPosition: 9n }))],
  ["a short boot id", toBinary(BatchSchema, create(BatchSchema, { ...head, bootId: new Uint8Array(15) }))],
  ["a range that is reversed", toBinary(BatchSchema, create(BatchSchema, { ...head, firstPosition: 10n }))],
  [
    "an actor that is not there",
    toBinary(BatchSchema, create(BatchSchema, { ...head, events: [{}], actors: [2], processes: [{}] })),
  ],
  ["a parent that is not there", withParent(7)],
  ["a process that is its own ancestor", withParent(2, 1)],
  ["actors that end in the middle of one", withActors([0x81])],
  ["an actor without an end", withActors([...new Uint8Array(64).fill(0x80), 0])],
] as const) {
  test(`refuses a batch with ${what}`, (t) => {
    t.throws(() => readAll(bytes), { instanceOf: WireError });
  });
}

function withParent(...parents: number[]): Uint8Array {
  return toBinary(
    BatchSchema,
    create(BatchSchema, { ...head, events: [{}], actors: [1], processes: parents.map((parent) => ({ parent })) }),
  );
}

/** The field behind everything else, so that reading over its end would leave the message. */
function withActors(contents: readonly number[]): Uint8Array {
  const tag = (BatchSchema.field.actors.number << 3) | 2;
  const field = [(tag & 0x7f) | 0x80, tag >> 7, contents.length, ...contents];
  return Buffer.concat([toBinary(BatchSchema, create(BatchSchema, head)), Uint8Array.from(field)]);
}

test("the name of a source has all its digits", (t) => {
  t.is(sourceIdOf(Uint8Array.from([0, 1, 255]), 10n), "0001ff:000000000000000a");
  t.is(sourceIdOf(new Uint8Array(0), 2n ** 64n - 1n), ":ffffffffffffffff");
});

test("names of users and groups are those that were written; of an id that comes twice, the last", (t) => {
  const bytes = toBinary(
    BatchSchema,
    create(BatchSchema, {
      bootId: new Uint8Array(16),
      users: [{ id: 1, name: "bin" }, { id: 7, name: "x" }, { id: 7, name: "lp" }, { id: 9 }],
      groups: [{ name: "root" }],
    }),
  );
  const { userNames, groupNames } = new BatchReader(bytes);
  t.deepEqual(
    [...userNames],
    [
      [1, "bin"],
      [7, "lp"],
      [9, ""],
    ],
  );
  t.deepEqual([...groupNames], [[0, "root"]]);
});

test("names of an address are those its process asked for, or else those of all others", (t) => {
  const [one, two] = [Uint8Array.of(192, 0, 2, 1), new Uint8Array(16).fill(2)];
  const addressNames = [
    { address: one, names: ["all.test", "alias.test"] },
    { address: one, names: ["own.test"], pid: 7, startTimeNs: 2n ** 60n + 1n },
    { address: two, names: ["six.test"], pid: 8, startTimeNs: 5n },
  ];
  const batch = create(BatchSchema, { bootId: new Uint8Array(16), addressNames });
  const reader = new BatchReader(toBinary(BatchSchema, batch));
  t.deepEqual(reader.namesOf(one, 7, 2n ** 60n + 1n), ["own.test"]);
  t.deepEqual(reader.namesOf(one, 7, 2n ** 60n), ["all.test", "alias.test"]);
  t.deepEqual(reader.namesOf(two, 8, 5), ["six.test"]);
  t.deepEqual(reader.namesOf(two, 7, 5), []);
  t.deepEqual(reader.namesOf(Uint8Array.of(192, 0, 2, 9), 7, 1), []);
});
