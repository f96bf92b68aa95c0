// Rings do what system calls do, and it is read back as the event of that call, marked.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed, type Done } from "../support/deed.ts";
import {
  balances,
  kernelTest,
  notHere,
  type Seen,
  type TypeName,
  text,
  type Watch,
  watchKernel,
} from "../support/kernel.ts";
import { AF_INET, LOOPBACK_4, NOTHING, SOCK_CLOEXEC, SOCK_DGRAM } from "../support/sockets.ts";

const ENOENT = 2n;
const EINVAL = 22;
const SHUT_RDWR = 2;
const EVERY_MESSAGE = { tcp: true, datagram: true, unix: true, other: true };
const O_CREAT_RDWR = 0o102n;
const KERNEL_TYPES = "/sys/kernel/btf/vmlinux";

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

/** The same, of an operation that an older kernel does not know; undefined there. */
async function operateIfKnown<Name extends TypeName>(
  t: ExecutionContext,
  watch: Watch,
  type: Name,
  operation: Operation,
): Promise<{ event: Seen<Name>; done: Done } | undefined> {
  const [result] = compileDeed(t, import.meta.dirname)
    .do([...operation, "-"])
    .stdout.split(" ");
  return Number(result) === -EINVAL ? undefined : operate(t, watch, type, operation);
}

/** As bpf/ring.h asks it: 6.0 moved what an operation keeps behind a member of this type (f2ccb5aed7bc). */
const showsRequests = existsSync(KERNEL_TYPES) && readFileSync(KERNEL_TYPES).includes("io_cmd_data");

/** A test of operations that are told; before 6.0 they are not. */
function operationTest(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  const untold = async (t: ExecutionContext) => notHere(t, "requests of io_uring looked otherwise before 6.0");
  kernelTest(title, showsRequests ? body : untold);
}

for (const how of ["-", "thread"]) {
  const by = how === "-" ? "the process" : "a thread of the kernel";
  operationTest(`a file is opened and made, submitted by ${by}`, async (t) => {
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

operationTest("an open that fails, and one whose success nobody is told", async (t) => {
  const watch = watchKernel(t, { types: ["open"] });
  const missing = join(temporaryFolder(t), "nothing", "here");
  const { event } = await operate(t, watch, "open", ["open", missing, "-"]);
  t.is(event.result, -ENOENT);
  t.is(text(event.data.requested), missing);
  const path = join(temporaryFolder(t), "file");
  const silent = await operate(t, watch, "open", ["open", path, "-"], "silent");
  t.deepEqual([text(silent.event.data.requested), text(silent.event.data.path)], [path, ""]);
});

operationTest("names are removed, changed and made", async (t) => {
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

operationTest("a socket is made, and one is connected", async (t) => {
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

/** What a deed prints behind the result, the ring's descriptor and whether it could be registered. */
const descriptorOf = (done: Done) => Number(done.stdout.split(" ")[3]);
const portOf = (done: Done) => Number(done.stdout.split(" ")[4]);

operationTest("a server's operations: bind, listen, accept, shutdown", async (t) => {
  const watch = watchKernel(t, { types: ["bind", "listen", "accept", "shutdown"] });
  const accepted = await operate(t, watch, "accept", ["accept", "-", "-"]);
  t.is(accepted.event.call, Call.ACCEPT4);
  t.like(accepted.event.data, { fd: Number(accepted.event.result), listeningFd: descriptorOf(accepted.done) });
  t.like(accepted.event.data, { flags: SOCK_CLOEXEC });
  t.like(accepted.event.data.descriptor, { isServer: true, connected: true });
  t.like(accepted.event.data.descriptor?.local, { address: LOOPBACK_4, port: portOf(accepted.done) });

  const shut = await operate(t, watch, "shutdown", ["shutdown", "-", "-"]);
  t.is(shut.event.call, Call.SHUTDOWN);
  t.like(shut.event.data, { fd: descriptorOf(shut.done), how: SHUT_RDWR });

  const bound = await operateIfKnown(t, watch, "bind", ["bind", "-", "-"]);
  if (!bound) return;
  t.is(bound.event.call, Call.BIND);
  t.like(bound.event.data, { fd: descriptorOf(bound.done), requestedFamily: AF_INET });
  t.deepEqual(bound.event.data.requested?.address, LOOPBACK_4);
  t.not(bound.event.data.descriptor?.local?.port, 0);
  const listening = (await operate(t, watch, "listen", ["listen", "-", "-"])).event;
  t.is(listening.call, Call.LISTEN);
  t.like(listening.data, { backlog: 7 });
  t.is(listening.data.descriptor?.isServer, true);
});

/** Of each operation that sends: as which call, and what. */
const SENDING = [
  ["send", Call.SENDTO, "world"],
  ["send_zc", Call.SENDTO, "world"],
  ["sendmsg", Call.SENDMSG, "hello, world"],
] as const;
const RECEIVING = [
  ["recv", Call.RECVFROM],
  ["recvmsg", Call.RECVMSG],
] as const;

operationTest("messages that a ring sends and receives", async (t) => {
  const watch = watchKernel(t, { types: ["send", "receive", "exit"] });
  watch.probe.setMessageInterest({ ...EVERY_MESSAGE, dataBytes: 80 });
  for (const [what, call, data] of SENDING) {
    for (const how of what === "send" ? ["-", "slot"] : ["-"]) {
      const { event, done } = await operate(t, watch, "send", [what, "-", "-"], how);
      t.is(event.call, call, what);
      t.like(event.data, { fd: how === "slot" ? -1 : descriptorOf(done), size: BigInt(data.length) }, what);
      t.is(text(event.data.data), data, what);
      t.like(event.data.descriptor?.remote, { address: LOOPBACK_4, port: portOf(done) }, `${what} ${how}`);
    }
  }
  for (const [what, call] of RECEIVING) {
    const { event, done } = await operate(t, watch, "receive", [what, "-", "-"]);
    t.is(event.call, call, what);
    t.like(event.data, { fd: descriptorOf(done), size: 16n }, what);
    t.is(text(event.data.data), "world", what);
    if (what === "recvmsg") t.like(event.data.descriptor?.remote, { address: LOOPBACK_4, port: portOf(done) });
  }
  watch.probe.setMessageInterest({ ...EVERY_MESSAGE, datagram: false });
  const unwanted = compileDeed(t, import.meta.dirname).do(["send", "-", "-", "-"]);
  await watch.ended(unwanted.pid);
  t.is(watch.of("send", ({ pid }) => pid === unwanted.pid).length, 0);
  await watch.probe.stop();
  t.true(balances(watch.ledger("send")) && balances(watch.ledger("receive")));
});

operationTest("DNS through a ring, whether messages are wanted too or not", async (t) => {
  const server = createSocket("udp4").bind(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address();
  const watch = watchKernel(t, { types: ["dns", "send"] });
  watch.probe.setDnsPorts([port]);
  for (const wanted of [["dns"], ["dns", "send"]] as const) {
    watch.want(wanted);
    const { event, done } = await operate(t, watch, "dns", ["sendmsg", "-", String(port)]);
    t.like(event.data, { fd: descriptorOf(done), carrier: Call.SENDMSG, size: 12, malformed: true });
    t.like(event.data.descriptor?.remote, { address: LOOPBACK_4, port });
    t.is(watch.of("send", ({ pid }) => pid === done.pid).length, wanted.length - 1);
  }
  await watch.probe.stop();
  t.true(balances(watch.ledger("dns")) && balances(watch.ledger("send")));
});

operationTest("extended attributes and the length of a file", async (t) => {
  const watch = watchKernel(t, { types: ["setxattr", "truncate"] });
  const path = join(temporaryFolder(t), "file");
  const byPath = (await operate(t, watch, "setxattr", ["setxattr", path, "value"])).event;
  t.is(byPath.call, Call.SETXATTR);
  t.deepEqual([text(byPath.data.requested), text(byPath.data.absolute)], [path, path]);
  const { event, done } = await operate(t, watch, "setxattr", ["fsetxattr", `${path}2`, "value"]);
  t.is(event.call, Call.FSETXATTR);
  t.is(event.data.fd, descriptorOf(done));
  t.is(text(event.data.descriptor?.path ?? NOTHING), `${path}2`);
  for (const { data } of [byPath, event]) {
    t.deepEqual([text(data.name), text(data.value)], ["user.test", "value"]);
    t.like(data, { sizeBytes: 5n, flags: 1 });
  }
  const cut = await operateIfKnown(t, watch, "truncate", ["ftruncate", path, "-"]);
  if (!cut) return;
  t.is(cut.event.call, Call.FTRUNCATE);
  t.is(cut.event.data.sizeBytes, 11n);
  t.is(text(cut.event.data.descriptor?.path ?? NOTHING), path);
});

operationTest("the first write to a file is told, by whatever the ring names it", async (t) => {
  const watch = watchKernel(t, { types: ["firstWrite", "exit"] });
  watch.probe.setMessageInterest({ ...EVERY_MESSAGE, dataBytes: 80 });
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

operationTest("each opening by a ring is a new one", async (t) => {
  const watch = watchKernel(t, { types: ["firstWrite", "exit"] });
  const path = join(temporaryFolder(t), "file");
  const done = compileDeed(t, import.meta.dirname).do(["open", path, "-", "again"]);
  await watch.ended(done.pid);
  t.is(watch.of("firstWrite", ({ pid }) => pid === done.pid).length, 20);
});
