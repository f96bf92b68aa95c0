// Programs run in every way there is, and what the kernel made of them is read back.

import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { Call, type Descriptor, DescriptorType, type Exec } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed, run } from "../support/deed.ts";
import { kernelTest, type Seen, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "fork", "exit"] as const;

const ARGS_SIZE_MAX = 4096;
const NOBODY = 65534;
const PTS_MAJOR = 136;
const AF_INET = 2;
const SOCK_STREAM = 1;
const NOTHING = new Uint8Array();
const NS_PER_MS = 1_000_000n;

const argsOf = (event: Seen<"exec">): string[] => event.data.args.map(text);
const typesOf = (exec: Exec): DescriptorType[] => exec.stdio.map(({ type }) => type);

const namespaceOf = (name: string): number => Number(/\[(\d+)\]/.exec(readlinkSync(`/proc/self/ns/${name}`))?.[1]);

/** A line of /proc/self/status, as it is or in hexadecimal. */
function statusOf(name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
}

kernelTest("a program that is gone at once is told completely", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const cwd = temporaryFolder(t);
  const done = deed.do(["leaf", "", "two words", "line\nbreak", "ünï"], { cwd });
  const event = await watch.event("exec", ({ pid }) => pid === done.pid);
  const fork = await watch.event("fork", ({ data }) => data.childPid === done.pid);
  t.like(event, { tid: done.pid, parentPid: process.pid, call: Call.EXECVE, result: 0n, uid: 0, gid: 0 });
  t.is(event.startTimeNs, fork.data.childStartTimeNs);
  t.is(event.parentStartTimeNs, fork.startTimeNs);
  t.true(event.timeNs > event.startTimeNs);
  t.deepEqual(argsOf(event), [deed.path, "leaf", "", "two words", "line\nbreak", "ünï"]);
  t.is(event.data.argsSizeBytes, Buffer.byteLength(argsOf(event).join("\0")) + 1);
  t.false(event.data.argsTruncated);
  t.deepEqual([event.name, event.data.executable, event.data.filename].map(text), ["deed", deed.path, deed.path]);
  t.is(text(event.data.workingDirectory), cwd);
});

kernelTest("the file that runs is described as stat describes it", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const done = deed.do(["leaf"]);
  const { data } = await watch.event("exec", ({ pid }) => pid === done.pid);
  const { dev, ino, mode, uid, gid, mtimeNs, ctimeNs } = statSync(deed.path, { bigint: true });
  t.like(data, { device: Number(dev), inode: ino, fileMode: Number(mode), ownerUid: Number(uid) });
  t.like(data, { modifiedTimeNs: mtimeNs, changedTimeNs: ctimeNs });
  t.like(data, { fromMemfd: false, upperLayer: false, unlinked: false, interpreted: false });
  t.like(data, { ownerGid: Number(gid), executableTruncated: false, workingDirectoryTruncated: false });
});

kernelTest("ids, capabilities, session, namespaces and cgroup are those /proc shows", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["leaf"]);
  const { data, cgroupId } = await watch.event("exec", ({ pid }) => pid === done.pid);
  const capabilities = (name: string) => BigInt(`0x${statusOf(name)}`);
  t.like(data, { realUid: 0, effectiveUid: 0, savedUid: 0, realGid: 0, effectiveGid: 0, savedGid: 0 });
  t.like(data, { capabilitiesPermitted: capabilities("CapPrm"), capabilitiesEffective: capabilities("CapEff") });
  t.is(data.capabilitiesInheritable, capabilities("CapInh"));
  t.is(data.loginUid, Number(readFileSync("/proc/self/loginuid", "utf8")));
  const [, , , , group, session] = readFileSync("/proc/self/stat", "utf8").split(" ").map(Number);
  t.like(data, { processGroupId: group, sessionId: session, namespacedPid: done.pid });
  t.like(data, { namespacedProcessGroupId: group, namespacedSessionId: session, filesystemUid: 0, filesystemGid: 0 });
  t.like(data, { capabilitiesBounding: capabilities("CapBnd"), capabilitiesAmbient: capabilities("CapAmb") });
  t.like(data, { noNewPrivileges: statusOf("NoNewPrivs") === "1", seccompMode: Number(statusOf("Seccomp")) });
  t.is(data.timeNamespace, namespaceOf("time"));
  t.like(data, { mountNamespace: namespaceOf("mnt"), pidNamespace: namespaceOf("pid") });
  t.like(data, { networkNamespace: namespaceOf("net"), userNamespace: namespaceOf("user") });
  t.like(data, { utsNamespace: namespaceOf("uts"), ipcNamespace: namespaceOf("ipc") });
  t.is(data.cgroupNamespace, namespaceOf("cgroup"));
  const paths = readFileSync("/proc/self/cgroup", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(":"));
  const unified = paths.find(([number]) => number === "0")?.[2] ?? "/";
  const others = paths.map(([, , path]) => path).filter((path) => path !== "/");
  t.true((unified !== "/" ? [unified] : [...others, "/"]).includes(text(data.cgroup)));
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "utf8"))?.[1];
  if (mount) t.is(cgroupId, statSync(join(mount, unified), { bigint: true }).ino);
});

kernelTest("another user's program has that user's ids and no capabilities", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  chmodSync(dirname(deed.path), 0o755);
  const done = deed.do(["leaf"], { uid: NOBODY, gid: NOBODY });
  const event = await watch.event("exec", ({ pid }) => pid === done.pid);
  t.like(event, { uid: NOBODY, gid: NOBODY });
  t.like(event.data, { realUid: NOBODY, effectiveUid: NOBODY, savedUid: NOBODY, ownerUid: 0 });
  t.like(event.data, { realGid: NOBODY, effectiveGid: NOBODY, savedGid: NOBODY });
  t.like(event.data, { capabilitiesPermitted: 0n, capabilitiesEffective: 0n });
});

kernelTest("of a script, the script was asked for and the interpreter runs", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const script = join(temporaryFolder(t), "script");
  writeFileSync(script, "#!/bin/sh -e\nexit 3\n", { mode: 0o755 });
  const done = run(script, ["argument"]);
  const event = await watch.event("exec", ({ pid }) => pid === done.pid);
  t.is(done.status, 3);
  t.is(text(event.data.filename), script);
  t.is(text(event.data.executable), realpathSync("/bin/sh"));
  t.deepEqual(argsOf(event), ["/bin/sh", "-e", script, "argument"]);
  t.is(text(event.name), "script");
  t.true(event.data.interpreted);
});

kernelTest("a program its user may write to is told, by owner, group, others and capability", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  chmodSync(dirname(deed.path), 0o755);
  const nobody = { uid: NOBODY, gid: NOBODY };
  for (const { mode, owner, group, by, isWritable } of [
    { mode: 0o555, owner: 0, group: 0, by: {}, isWritable: true },
    { mode: 0o755, owner: 0, group: 0, by: nobody, isWritable: false },
    { mode: 0o755, owner: NOBODY, group: 0, by: nobody, isWritable: true },
    { mode: 0o577, owner: NOBODY, group: NOBODY, by: nobody, isWritable: false },
    { mode: 0o775, owner: 0, group: NOBODY, by: nobody, isWritable: true },
    { mode: 0o775, owner: 0, group: 0, by: nobody, isWritable: false },
    { mode: 0o757, owner: 0, group: 0, by: nobody, isWritable: true },
  ]) {
    chownSync(deed.path, owner, group);
    chmodSync(deed.path, mode);
    const done = deed.do(["leaf"], by);
    const { data } = await watch.event("exec", ({ pid }) => pid === done.pid);
    t.is(data.executableWritable, isWritable, `${mode.toString(8)} ${owner}:${group}`);
  }
});

kernelTest("the environment is told where somebody asks, else only its length", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const env = { FIRST: "1", SECOND: "two words", EMPTY: "" };
  const expected = ["FIRST=1", "SECOND=two words", "EMPTY="];
  const size = Buffer.byteLength(expected.join("\0")) + 1;
  const unasked = deed.do(["leaf"], { env });
  const without = await watch.event("exec", ({ pid }) => pid === unasked.pid);
  t.like(without.data, { environment: [], environmentSizeBytes: size, environmentTruncated: false });
  watch.probe.setEnvironmentWanted(true);
  const asked = deed.do(["leaf"], { env });
  const whole = await watch.event("exec", ({ pid }) => pid === asked.pid);
  t.deepEqual(whole.data.environment.map(text), expected);
  t.like(whole.data, { environmentSizeBytes: size, environmentTruncated: false });
  const large = deed.do(["leaf"], { env: { LARGE: "x".repeat(2 * ARGS_SIZE_MAX) } });
  const cut = await watch.event("exec", ({ pid }) => pid === large.pid);
  t.deepEqual(cut.data.environment.map(text), [`LARGE=${"x".repeat(ARGS_SIZE_MAX - "LARGE=".length)}`]);
  t.true(cut.data.environmentTruncated);
});

kernelTest("a program from memfd has no place in the tree", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["memfd", "ghost"]);
  const event = await watch.event("exec", ({ pid, data }) => pid === done.pid && data.fromMemfd);
  t.is(done.status, 0);
  t.is(event.call, Call.EXECVEAT);
  t.is(text(event.data.executable), "/memfd:ghost");
  t.regex(text(event.data.filename), /^\/dev\/fd\/\d+$/);
  t.deepEqual(argsOf(event), ["ghost", "leaf"]);
  t.true(event.data.unlinked);
});

kernelTest("a program that was deleted is known by its old path, and one in /dev/shm is no memfd", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const copy = `/dev/shm/memfd:nightjar-test-${process.pid}`;
  copyFileSync(deed.path, copy);
  const done = deed.do(["unlinked", copy]);
  const event = await watch.event("exec", ({ pid, data }) => pid === done.pid && data.unlinked);
  t.is(done.status, 0);
  t.is(text(event.data.executable), copy);
  t.false(event.data.fromMemfd);
});

kernelTest("standard descriptors on a TCP connection have both ends", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const server = createServer((socket) => socket.on("error", () => undefined).destroy()).listen(0, "127.0.0.1");
  t.teardown(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const done = compileDeed(t, import.meta.dirname).do(["socket", String(port)]);
  const event = await watch.event("exec", (exec) => exec.pid === done.pid && argsOf(exec)[0] === "on-socket");
  const ownPort = Number(argsOf(event)[2]);
  const address = Uint8Array.of(127, 0, 0, 1);
  t.is(event.data.stdio.length, 3);
  for (const descriptor of event.data.stdio) {
    t.like(descriptor, {
      type: DescriptorType.IPV4,
      family: AF_INET,
      socketType: SOCK_STREAM,
      connected: true,
      isServer: false,
    });
    t.like(descriptor.local, { address, port: ownPort, path: NOTHING });
    t.like(descriptor.remote, { address, port, path: NOTHING });
  }
});

kernelTest("standard descriptors that are a file, a device, a pipe, a terminal, or closed", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const path = join(temporaryFolder(t), "input");
  writeFileSync(path, "x");
  const plain = deed.do(["leaf"], { stdio: [openSync(path, "r"), "ignore", "ignore"] });
  const { data: files } = await watch.event("exec", ({ pid }) => pid === plain.pid);
  const { FILE, CHARACTER, TTY, PIPE, UNSPECIFIED } = DescriptorType;
  t.deepEqual(typesOf(files), [FILE, CHARACTER, CHARACTER]);
  t.deepEqual(
    files.stdio.map(({ name }: Descriptor) => text(name)),
    ["input", "null", "null"],
  );

  const piped = run("/bin/sh", ["-c", 'true | "$0" leaf | true', deed.path]);
  await watch.ended(piped.pid);
  const { data: pipes } = await watch.event(
    "exec",
    (exec) => exec.parentPid === piped.pid && argsOf(exec)[1] === "leaf",
  );
  t.deepEqual(typesOf(pipes).slice(0, 2), [PIPE, PIPE]);

  const terminal = deed.do(["terminal"]);
  const { data, pid } = await watch.event(
    "exec",
    (exec) => exec.pid === terminal.pid && argsOf(exec)[0] === "on-terminal",
  );
  t.deepEqual(typesOf(data), [TTY, TTY, UNSPECIFIED]);
  t.is(data.tty, (PTS_MAJOR << 8) | Number(terminal.stdout));
  t.is(text(data.ttyName), `pts${terminal.stdout}`);
  t.like(data, { sessionId: pid, processGroupId: pid });
});

kernelTest("arguments beyond the limit are cut off and their length is told", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const long = "x".repeat(3 * ARGS_SIZE_MAX);
  const done = deed.do(["leaf", long, "never seen"]);
  const event = await watch.event("exec", ({ pid }) => pid === done.pid);
  const head = `${deed.path}\0leaf\0`;
  t.true(event.data.argsTruncated);
  t.is(event.data.argsSizeBytes, Buffer.byteLength(`${head}${long}\0never seen\0`));
  t.deepEqual(argsOf(event), [deed.path, "leaf", "x".repeat(ARGS_SIZE_MAX - Buffer.byteLength(head))]);
});

kernelTest("in namespaces of its own a program has its own numbers, and paths of its own mounts", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const mounted = temporaryFolder(t);
  const script = 'mount -t tmpfs nightjar "$1" && cp "$0" "$1/inside" && cd "$1" && exec ./inside leaf';
  const done = run("unshare", ["--mount", "--pid", "--fork", "sh", "-c", script, deed.path, mounted]);
  t.is(done.status, 0);
  const { data } = await watch.event("exec", (exec) => argsOf(exec)[0] === "./inside" && exec.parentPid === done.pid);
  t.is(text(data.executable), join(mounted, "inside"));
  t.is(text(data.workingDirectory), mounted);
  t.is(data.namespacedPid, 1);
  t.not(data.mountNamespace, namespaceOf("mnt"));
  t.not(data.pidNamespace, namespaceOf("pid"));
});

kernelTest("on an overlay, what was changed is told from what was there", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const folder = temporaryFolder(t);
  // An overlay's upper layer may not lie on an overlay itself, so it gets a tmpfs.
  const script = `mount -t tmpfs nightjar "$1" && cd "$1" && mkdir lower upper work merged && cp "$0" lower/image &&
    mount -t overlay nightjar -o lowerdir=lower,upperdir=upper,workdir=work merged &&
    cp "$0" merged/dropped && merged/image leaf && exec merged/dropped leaf`;
  const done = run("unshare", ["--mount", "sh", "-c", script, deed.path, folder]);
  t.is(done.status, 0);
  const image = await watch.event("exec", (exec) => argsOf(exec)[0] === "merged/image" && exec.parentPid === done.pid);
  t.false(image.data.upperLayer);
  t.is(text(image.data.executable), join(folder, "merged", "image"));
  const dropped = await watch.event("exec", (exec) => argsOf(exec)[0] === "merged/dropped" && exec.pid === done.pid);
  t.true(dropped.data.upperLayer);
});

kernelTest("of 500 programs in a burst none is missing, each with its argument, parent and exit", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const count = 500;
  const done = compileDeed(t, import.meta.dirname).do(["burst", String(count)]);
  await watch.ended(done.pid);
  const execs = watch.of("exec", (exec) => exec.parentPid === done.pid);
  const exits = new Set(watch.of("exit", (exit) => exit.parentPid === done.pid).map(({ pid }) => pid));
  t.deepEqual(
    execs.map((exec) => argsOf(exec)[2]).sort(),
    Array.from({ length: count }, (_, index) => `number-${index}`).sort(),
  );
  t.deepEqual(
    execs.filter(({ pid }) => !exits.has(pid)),
    [],
  );
  t.true(execs.every((exec) => exec.timeNs - exec.startTimeNs < 10_000n * NS_PER_MS));
});
