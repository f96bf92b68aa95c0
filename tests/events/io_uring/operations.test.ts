// Rings do what system calls do, and it is read back as the event of that call, marked.
import { once } from "node:events";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed, type Done } from "../support/deed.ts";
import { balances, kernelTest, type Seen, type TypeName, text, type Watch, watchKernel } from "../support/kernel.ts";
import { AF_INET, LOOPBACK_4, NOTHING, SOCK_DGRAM } from "../support/sockets.ts";

const ENOENT = 2n;
const O_CREAT_RDWR = 0o102n;

type Operation = readonly [what: string, first: string, second: string];

/** Has a ring do it, in a process of its own, and returns the record of it. */
async function operate<Name extends TypeName>(
  t: ExecutionContext,
  watch: Watch,
  type: Name,
  [what, first, second]: Operation,
  how = "-",
): Promise<{ event: Seen<Name>; done: Done }> {
  const done = compileDeed(t, import.meta.dirname).do([what, first, second, how]);
  const event = await watch.event(type, ({ pid, byIoUring }) => pid === done.pid && byIoUring);
  t.like(event, { parentPid: process.pid, result: BigInt(done.stdout.split(" ")[0] ?? "") });
  t.is(text(event.name), "deed");
  t.is(watch.of(type, ({ pid, byIoUring }) => pid === done.pid && byIoUring).length, 1);
  return { event, done };
}

for (const how of ["-", "thread"]) {
  const by = how === "-" ? "the process" : "a thread of the kernel";
  kernelTest(`a file is opened and made, submitted by ${by}`, async (t) => {
    const watch = watchKernel(t, { types: ["open"] });
    const path = join(temporaryFolder(t), "file");
    const { event } = await operate(t, watch, "open", ["open", path, "-"], how);
    t.is(event.call, Call.OPENAT);
    t.true(event.result > 2n);
    t.like(event.data, { flags: O_CREAT_RDWR, mode: 0o640, created: true, inode: BigInt(statSync(path).ino) });
    t.deepEqual([text(event.data.path), text(event.data.requested)], [path, path]);
    await watch.probe.stop();
    t.true(balances(watch.ledger("open")));
  });
}

kernelTest("an open that fails, and one whose success nobody is told", async (t) => {
  const watch = watchKernel(t, { types: ["open"] });
  const missing = join(temporaryFolder(t), "nothing", "here");
  const { event } = await operate(t, watch, "open", ["open", missing, "-"]);
  t.is(event.result, -ENOENT);
  t.is(text(event.data.requested), missing);
  const path = join(temporaryFolder(t), "file");
  const silent = await operate(t, watch, "open", ["open", path, "-"], "silent");
  t.deepEqual([text(silent.event.data.requested), text(silent.event.data.path)], [path, ""]);
});

kernelTest("names are removed, changed and made", async (t) => {
  const watch = watchKernel(t, { types: ["unlink", "rename", "mkdir", "symlink", "link"] });
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "inner"));
  const [one, two, three] = ["one", "inner/two", "three"].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(one, "x");
  const renamed = (await operate(t, watch, "rename", ["rename", one, two])).event;
  t.is(renamed.call, Call.RENAMEAT2);
  t.deepEqual([text(renamed.data.oldRequested), text(renamed.data.newRequested)], [one, two]);
  const linked = (await operate(t, watch, "link", ["link", two, three])).event;
  t.is(linked.call, Call.LINKAT);
  const removed = (await operate(t, watch, "unlink", ["unlink", three, "-"])).event;
  t.is(removed.call, Call.UNLINKAT);
  t.is(text(removed.data.requested), three);
  t.false(existsSync(three));
  const made = (await operate(t, watch, "mkdir", ["mkdir", three, "-"])).event;
  t.is(made.call, Call.MKDIRAT);
  t.is(made.data.mode, 0o750);
  t.is(text(made.data.requested), three);
  const link = (await operate(t, watch, "symlink", ["symlink", "/etc/passwd", one])).event;
  t.is(link.call, Call.SYMLINKAT);
  t.is(text(link.data.target), "/etc/passwd");
  for (const event of [renamed, linked, removed, made, link]) t.is(event.result, 0n);
});

kernelTest("a socket is made, and one is connected", async (t) => {
  const watch = watchKernel(t, { types: ["socket", "connect"] });
  const made = (await operate(t, watch, "socket", ["socket", "-", "-"])).event;
  t.is(made.call, Call.SOCKET);
  t.like(made.data, { domain: AF_INET, socketType: SOCK_DGRAM });

  const server = createServer().listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const port = (server.address() as { port: number }).port;
  const { event, done } = await operate(t, watch, "connect", ["connect", "127.0.0.1", String(port)]);
  t.is(event.call, Call.CONNECT);
  t.is(event.data.fd, Number(done.stdout.split(" ")[3]));
  t.like(event.data.remote, { address: LOOPBACK_4, port });
});

kernelTest("the first write to a file is told, by whatever the ring names it", async (t) => {
  const watch = watchKernel(t, { types: ["firstWrite", "exit"] });
  watch.probe.setMessageInterest({ tcp: true, datagram: true, unix: true, other: true, dataBytes: 80 });
  for (const how of ["-", "thread", "slot"]) {
    const path = join(temporaryFolder(t), "file");
    const { event } = await operate(t, watch, "firstWrite", ["write", path, "hello"], how);
    t.is(event.call, Call.FIRST_WRITE, how);
    t.like(
      event.data,
      { fd: -1, carrier: Call.PWRITE64, size: 5n, position: 3n, inode: BigInt(statSync(path).ino) },
      how,
    );
    t.deepEqual([text(event.data.data), text(event.data.descriptor?.path ?? NOTHING)], ["hello", path], how);
  }
  const path = join(temporaryFolder(t), "file");
  const silent = await operate(t, watch, "firstWrite", ["write", path, "hello"], "silent");
  t.like(silent.event.data, { size: 5n, position: 3n });
  t.is(silent.event.result, 0n);
});

kernelTest("each opening by a ring is a new one", async (t) => {
  const watch = watchKernel(t, { types: ["firstWrite", "exit"] });
  const path = join(temporaryFolder(t), "file");
  const done = compileDeed(t, import.meta.dirname).do(["open", path, "-", "again"]);
  await watch.ended(done.pid);
  t.is(watch.of("firstWrite", ({ pid }) => pid === done.pid).length, 20);
});
