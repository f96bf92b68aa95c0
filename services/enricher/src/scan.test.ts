// The scanner against protobuf-es, and against bytes that are no events.
import { create, toBinary } from "@bufbuild/protobuf";
import { WireError } from "@nightjar/events";
import { EventSchema } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { exec, scanned } from "./fixture.ts";
import { EventHeader, type Moment, momentOf, scanEvent, TYPE_FORK } from "./scan.ts";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  fc.nat(300).map((shift) => (1n << BigInt(shift % 64)) - BigInt(shift & 1)),
);

function toBigint({ low, high }: Moment): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

test("reads every field it needs exactly as protobuf-es wrote it", (t) => {
  const fork = fc.record({
    childPid: uint32,
    childStartTimeNs: uint64,
    childParentPid: uint32,
    childParentStartTimeNs: uint64,
  });
  const event = fc.record({
    position: fc.nat(Number.MAX_SAFE_INTEGER).map(BigInt),
    timeNs: uint64,
    pid: uint32,
    tid: uint32,
    startTimeNs: uint64,
    parentPid: uint32,
    parentStartTimeNs: uint64,
    uid: uint32,
    gid: uint32,
    name: fc.uint8Array({ maxLength: 15 }) as fc.Arbitrary<Uint8Array<ArrayBuffer>>,
    result: fc.bigInt({ min: -4096n, max: 1n << 40n }),
    cgroupId: uint64,
    fork,
  });
  fc.assert(
    fc.property(event, ({ fork: value, ...fields }) => {
      const [header, bytes] = scanned({ ...fields, data: { case: "fork", value } });
      t.is(BigInt(header.position), fields.position);
      t.is(header.type, TYPE_FORK);
      t.is(header.pid, fields.pid);
      t.is(header.parentPid, fields.parentPid);
      t.is(header.uid, fields.uid);
      t.is(header.gid, fields.gid);
      t.is(header.failed, fields.result < 0n);
      t.is(toBigint(header.time), fields.timeNs);
      t.is(toBigint(header.start), fields.startTimeNs);
      t.is(toBigint(header.parentStart), fields.parentStartTimeNs);
      t.deepEqual(bytes.slice(header.nameStart, header.nameEnd), fields.name);
      t.is(header.childPid, value.childPid);
      t.is(header.childParentPid, value.childParentPid);
      t.is(toBigint(header.childStart), value.childStartTimeNs);
      t.is(toBigint(header.childParentStart), value.childParentStartTimeNs);
      t.deepEqual(momentOf(fields.timeNs), header.time);
    }),
  );
});

test("an object that is used again keeps nothing of the event before", (t) => {
  const full = toBinary(
    EventSchema,
    create(EventSchema, exec({ pid: 5, start: 1n << 40n, uid: 7, name: "x" }, "/bin/x")),
  );
  const header = new EventHeader();
  scanEvent(full, 0, full.length, header);
  scanEvent(full, 0, 0, header);
  const { childStart, childParentStart, childPid, childParentPid, ...rest } = header;
  t.like(new EventHeader(), rest);
});

test("bytes that are no event are refused, and nothing else is thrown", (t) => {
  const whole = toBinary(EventSchema, create(EventSchema, exec({ pid: 5, start: 1n << 60n, name: "name" }, "/bin/x")));
  const header = new EventHeader();
  for (let length = 1; length < whole.length; length++) {
    // Cut between two fields it is a shorter event; anywhere else it is none.
    try {
      scanEvent(whole.slice(0, length), 0, length, header);
    } catch (error) {
      t.true(error instanceof WireError);
    }
  }
  t.throws(() => scanEvent(whole, 0, whole.length - 1, header), { instanceOf: WireError });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        scanEvent(bytes, 0, bytes.length, header);
      } catch (error) {
        t.true(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
