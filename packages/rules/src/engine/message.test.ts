// The lazy view of a message gives what protobuf-es gives, and refuses what is no message.
import { create, toBinary } from "@bufbuild/protobuf";
import { WireError } from "@nightjar/events";
import { EventSchema, ExecSchema } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { decodeText, Message } from "./message.ts";

const EXEC = ExecSchema.field;
const EVENT = EventSchema.field;

function view(bytes: Uint8Array): Message {
  const message = new Message();
  message.load(bytes, 0, bytes.length);
  return message;
}

test("fields read in place are those that were written", (t) => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(
      bytes,
      fc.array(bytes, { maxLength: 5 }),
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.nat(0xffffffff),
      fc.boolean(),
      (path, args, inode, uid, memfd) => {
        const message = view(
          toBinary(ExecSchema, create(ExecSchema, { executable: path, args, inode, realUid: uid, fromMemfd: memfd })),
        );
        const text = new TextDecoder().decode(path);
        t.is(message.text(EXEC.executable.number), path.length === 0 ? undefined : text);
        t.is(BigInt(message.uint64(EXEC.inode.number)), inode);
        t.is(message.uint(EXEC.realUid.number), uid);
        t.is(message.uint(EXEC.fromMemfd.number) !== 0, memfd);
        const bounds = message.occurrences(EXEC.args.number);
        t.deepEqual(
          args.map((_, at) => [...message.bytes.subarray(bounds[2 * at], bounds[2 * at + 1])]),
          args.map((each) => [...each]),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test("a field above the highest number is found by itself, the last one, however high", (t) => {
  for (const number of [32, 63, 64, 139, 2 ** 20]) {
    const key = number * 8 + 2;
    const varint: number[] = [];
    for (let rest = key; ; rest = Math.floor(rest / 128)) {
      varint.push(rest < 128 ? rest : (rest % 128) + 128);
      if (rest < 128) break;
    }
    const message = new Message(31);
    const bytes = new Uint8Array([0x18, 7, ...varint, 2, 1, 2, 0x20, 9]);
    message.load(bytes, 0, bytes.length);
    t.is(message.uint(3), 7);
    t.is(message.uint(4), 9);
    t.is(message.beyond, number);
    t.deepEqual([...bytes.subarray(message.beyondStart, message.beyondEnd)], [1, 2]);
    message.load(bytes, 0, 2);
    t.is(message.beyond, 0);
  }
});

test("bytes are code points where they are asked for so", (t) => {
  const bytes = toBinary(ExecSchema, create(ExecSchema, { executable: new Uint8Array([0, 0x80, 0x9f, 0xff]) }));
  t.is(view(bytes).binary(EXEC.executable.number), "\u0000\u0080\u009f\u00ff");
});

test("signed numbers keep their sign", (t) => {
  for (const result of [0n, 1n, -1n, -115n, 2n ** 40n, -(2n ** 40n)]) {
    const message = view(toBinary(EventSchema, create(EventSchema, { result })));
    t.is(BigInt(message.int(EVENT.result.number)), result);
  }
});

test("texts that were remembered are not mixed up", (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 20 }), { minLength: 1, maxLength: 50 }), (texts) => {
      for (const text of [...texts, ...texts]) {
        const bytes = new TextEncoder().encode(text);
        t.is(decodeText(bytes, 0, bytes.length), new TextDecoder("utf-8").decode(bytes));
      }
    }),
    { numRuns: 200 },
  );
});

test("what is no message is refused, and ends", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        view(bytes).has(1);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  t.throws(() => view(new Uint8Array([0x0a, 50, 1])).has(1), { instanceOf: WireError });
});
