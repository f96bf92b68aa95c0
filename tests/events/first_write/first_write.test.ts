// Files are opened and written to by every call there is, and the first write of each opening is read back.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Call, DescriptorType, TypeInterestSchema, wholeType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed, type Deed } from "../support/deed.ts";
import { balances, idsOf, kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";
import { numbers } from "../support/sockets.ts";

const TYPES = ["firstWrite", "exit"] as const;
const [O_WRONLY, O_RDWR, O_APPEND, O_TRUNC] = [1, 2, 0o2000, 0o1000];
const EVERY_MESSAGE = { tcp: true, datagram: true, unix: true, other: true };
const HELLO_WORLD = "hello world";

interface Place {
  deed: Deed;
  /** A file that need not be there. */
  path: string;
  /** A file of 11 bytes to be copied from. */
  source: string;
}

function makePlace(t: ExecutionContext): Place {
  const folder = temporaryFolder(t);
  const source = join(folder, "source");
  writeFileSync(source, HELLO_WORLD);
  return { deed: compileDeed(t, import.meta.dirname), path: join(folder, "file"), source };
}

interface Writes {
  call: string;
  flags?: number;
  openings?: number;
  writes?: number;
}

/** The events of the deed, and what it printed: the descriptor and what each write returned, of each opening. */
async function write(
  watch: Watch,
  { deed, path, source }: Place,
  { call, flags = O_WRONLY, openings = 1, writes = 1 }: Writes,
): Promise<{ events: Seen<"firstWrite">[]; printed: number[] }> {
  const done = deed.do([call, path, String(flags), source, String(openings), String(writes)]);
  await watch.ended(done.pid);
  return { events: watch.of("firstWrite", ({ pid }) => pid === done.pid), printed: numbers(done.stdout) };
}

/** Of each call: what it is to write, where it begins, and what of it is seen. */
const CALLS: readonly (readonly [call: string, carrier: Call, size: number, position: number, data: string])[] = [
  ["write", Call.WRITE, 5, 0, "world"],
  ["pwrite64", Call.PWRITE64, 5, 100, "world"],
  ["writev", Call.WRITEV, 11, 0, HELLO_WORLD],
  ["pwritev", Call.PWRITEV, 11, 100, HELLO_WORLD],
  ["pwritev2", Call.PWRITEV2, 11, 0, HELLO_WORLD],
  ["sendfile", Call.SENDFILE, 11, 0, ""],
  ["copy_file_range", Call.COPY_FILE_RANGE, 5, 100, ""],
  ["splice", Call.SPLICE, 11, 0, ""],
];

kernelTest("by each call: how much, where, and the bytes", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  watch.probe.setMessageInterest({ ...EVERY_MESSAGE, dataBytes: 80 });
  for (const [call, carrier, size, position, data] of CALLS) {
    const place = makePlace(t);
    const { events, printed } = await write(watch, place, { call });
    const { ino, dev } = statSync(place.path);
    t.is(events.length, 1, call);
    t.like(events[0], { call: Call.FIRST_WRITE, result: BigInt(size), parentPid: process.pid }, call);
    t.like(
      events[0]?.data,
      { fd: printed[0], carrier, size: BigInt(size), position: BigInt(position), inode: BigInt(ino), device: dev },
      call,
    );
    t.is(events[0]?.data.descriptor?.type, DescriptorType.FILE);
    t.is(text(events[0]?.data.descriptor?.path ?? new Uint8Array()), place.path);
    t.is(text(events[0]?.data.data ?? new Uint8Array()), data, call);
    t.false(events[0]?.data.dataTruncated);
  }
  await watch.probe.stop();
  t.true(balances(watch.ledger("firstWrite")));
});

kernelTest("once an opening, duplicates of its descriptor included", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const place = makePlace(t);
  const { events, printed } = await write(watch, place, {
    call: "write",
    flags: O_RDWR | O_APPEND,
    openings: 50,
    writes: 4,
  });
  t.is(printed.length, 250);
  t.deepEqual(
    events.map(({ data }) => data.position),
    Array.from({ length: 50 }, (_, at) => BigInt(at * 20)),
  );
  t.is(statSync(place.path).size, 1000);
  t.is(text(events[0]?.data.data ?? new Uint8Array()), "", "nobody asked for it");
});

kernelTest("no more of the bytes than is asked for, and a mark where there were more", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  watch.probe.setMessageInterest({ ...EVERY_MESSAGE, dataBytes: 8 });
  const { events } = await write(watch, makePlace(t), { call: "writev" });
  t.is(text(events[0]?.data.data ?? new Uint8Array()), "hello wo");
  t.true(events[0]?.data.dataTruncated);
});

kernelTest("a write that fails is none, and neither is one to a pipe, a terminal or a device", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const place = makePlace(t);
  const failed = await write(watch, place, { call: "write", flags: 0, writes: 2 });
  t.deepEqual([failed.events, failed.printed.slice(1)], [[], [-9, -9]]);
  const device = await write(watch, { ...place, path: "/dev/null" }, { call: "write" });
  t.deepEqual([device.events, device.printed.slice(1)], [[], [5]]);
  await watch.probe.stop();
  t.true(balances(watch.ledger("firstWrite")));
});

kernelTest("what nobody watched is a first write when someone does", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const place = makePlace(t);
  await write(watch, place, { call: "write", openings: 3 });
  watch.want(["exit"]);
  t.is((await write(watch, place, { call: "write", openings: 20 })).events.length, 0);
  watch.want(TYPES);
  t.is((await write(watch, place, { call: "write", openings: 20 })).events.length, 20);
});

kernelTest("filtered by its path in the kernel", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const [wanted, other] = [makePlace(t), makePlace(t)];
  const [firstWrite, exit] = [...idsOf(["firstWrite"]), ...idsOf(["exit"])] as [number, number];
  const paths = [{ classes: 1, whole: wanted.path }];
  const interest = create(TypeInterestSchema, { eventType: firstWrite, paths });
  watch.probe.setInterest(
    new Map([
      [firstWrite, interest],
      [exit, wholeType(exit)],
    ]),
  );
  t.is((await write(watch, other, { call: "write", flags: O_WRONLY | O_TRUNC, openings: 2 })).events.length, 0);
  t.is((await write(watch, wanted, { call: "write", flags: O_WRONLY | O_TRUNC, openings: 2 })).events.length, 2);
  t.is(readFileSync(wanted.path, "utf8"), "world");
  await watch.probe.stop();
  const ledger = watch.ledger("firstWrite");
  t.true(ledger.filtered >= 2n);
  t.true(balances(ledger));
});
