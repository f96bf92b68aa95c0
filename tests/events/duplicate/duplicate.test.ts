// Descriptors copied with each of the calls there are, and what the copies refer to.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Call, DescriptorType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["duplicate", "exit"] as const;
/** What the deed copies from, and where to. */
const FROM = 20;
const TO = 30;
const O_CLOEXEC = 0o2000000;
const F_DUPFD = 0;
const F_DUPFD_CLOEXEC = 1030;
const EBADF = -9n;
const EMPTY = new Uint8Array();

const nameOf = ({ data }: Seen<"duplicate">) => text(data.descriptor?.name ?? EMPTY);
const pathOf = ({ data }: Seen<"duplicate">) => text(data.descriptor?.path ?? EMPTY);

/** The deed's own: before it is run, its three standard descriptors are copied too. */
const isBy = ({ pid, name }: Seen<"duplicate">, deed: number) => pid === deed && text(name) === "deed";

const cases = [
  { deed: "dup", call: Call.DUP, fields: { newFd: 0, flags: 0, command: 0 } },
  { deed: "dup2", call: Call.DUP2, fields: { newFd: TO, flags: 0, command: 0 } },
  { deed: "dup3", call: Call.DUP3, fields: { newFd: TO, flags: O_CLOEXEC, command: 0 } },
  { deed: "fcntl", call: Call.FCNTL, fields: { newFd: TO, flags: 0, command: F_DUPFD_CLOEXEC } },
];

for (const { deed, call, fields } of cases) {
  if (deed === "dup2" && process.arch !== "x64") continue;
  kernelTest(`${deed} tells both descriptors and the file behind them`, async (t) => {
    const watch = watchKernel(t, { types: TYPES });
    const path = join(temporaryFolder(t), "file");
    writeFileSync(path, "x");
    const done = compileDeed(t, import.meta.dirname).do([deed, path]);
    const copy = Number(done.stdout);
    await watch.ended(done.pid);
    const own = watch.of("duplicate", (event) => isBy(event, done.pid));
    // The deed's first copy, to FROM, is one too.
    t.like(own[0]?.data, { command: F_DUPFD, oldFd: 3, newFd: FROM, fd: FROM });
    const event = own.at(-1);
    if (!event) return t.fail();
    t.like(event, { call, result: BigInt(copy) });
    t.like(event.data, { ...fields, fd: copy, oldFd: FROM, target: undefined, targetsSensor: false });
    t.is(event.data.descriptor?.type, DescriptorType.FILE);
    t.deepEqual([nameOf(event), pathOf(event)], ["file", path]);
  });
}

kernelTest("what else fcntl does is none", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["flags", "/dev/null"]);
  await watch.ended(done.pid);
  const own = watch.of("duplicate", (event) => isBy(event, done.pid));
  t.deepEqual(
    own.map(({ data }) => [data.fd, data.descriptor?.type]),
    [[FROM, DescriptorType.CHARACTER]],
  );
});

kernelTest("a connection on standard input is told with both ends", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const server = createServer((socket) => socket.on("error", () => undefined).destroy()).listen(0, "127.0.0.1");
  t.teardown(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const done = compileDeed(t, import.meta.dirname).do(["socket", String(port)]);
  const event = await watch.event("duplicate", (event) => isBy(event, done.pid));
  t.like(event, { call: Call.DUP3, result: 0n });
  t.like(event.data, { fd: 0, newFd: 0 });
  t.like(event.data.descriptor, { type: DescriptorType.IPV4, family: 2, socketType: 1 });
  t.like(event.data.descriptor?.remote, { address: Uint8Array.of(127, 0, 0, 1), port });
  t.true((event.data.descriptor?.local?.port ?? 0) > 0);
});

kernelTest("a copy of a closed descriptor fails", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["closed", "/dev/null"]);
  const event = await watch.event("duplicate", (event) => isBy(event, done.pid) && event.call === Call.DUP);
  t.is(event.result, EBADF);
  t.like(event.data, { fd: -1, oldFd: 99, descriptor: undefined });
});

kernelTest("a descriptor taken from another process is told with whose it was", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["steal", "/dev/null"]);
  const [child, fd] = done.stdout.split(" ").map(Number);
  const exit = await watch.event("exit", ({ pid }) => pid === child);
  const event = await watch.event("duplicate", (event) => isBy(event, done.pid) && event.call === Call.PIDFD_GETFD);
  t.is(event.result, BigInt(fd ?? -1));
  t.like(event.data, { fd, oldFd: FROM, pidfd: TO, targetsSensor: false });
  t.like(event.data.target, { pid: child, startTimeNs: exit.startTimeNs });
  t.is(nameOf(event), "null");
});
