// Asks for files as events name them: replaced, deleted, growing, huge, in memory, in another root; and for no file.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { ExecSchema, FileGap, LibrarySchema, Ownership } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { Executables } from "./executables.ts";
import type { NamedFile } from "./file.ts";
import { inspect, SMALL_BYTES_MAX } from "./inspect.ts";
import { libraryKey, programKey } from "./named-file.ts";
import { Throttle } from "./throttle.ts";

const thread = fileURLToPath(new URL("../worker.ts", import.meta.url));
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const LIMITS = { fileBytesMax: FILE_BYTES_MAX };
const THROTTLE = new Throttle(1024 ** 3, 1);

const executables = new Executables(thread, { fileBytesMax: FILE_BYTES_MAX, bytesPerSecond: 1024 ** 3 });
test.after.always(() => executables.close());

/** The file as the kernel would name it now, executed by a process. */
function named(path: string, pid: number | undefined = process.pid, kind: NamedFile["kind"] = "program"): NamedFile {
  const { dev, ino, ctimeNs, mtimeNs } = statSync(path, { bigint: true });
  const base = { kind, pid: pid ?? 0, path, device: Number(dev), mountNamespace: 0, fd: -1 };
  return { ...base, inode: ino, changedNs: ctimeNs, modifiedNs: mtimeNs };
}

/** The file as an event tells it, encoded, and its key. */
function told({ kind, path, device, inode, changedNs, modifiedNs, mountNamespace, fd }: NamedFile) {
  const identity = { device, inode, changedTimeNs: changedNs, modifiedTimeNs: modifiedNs };
  if (kind === "library") {
    const message = toBinary(LibrarySchema, create(LibrarySchema, { ...identity, path: Buffer.from(path), fd }));
    return { key: libraryKey(message), message };
  }
  const exec = create(ExecSchema, { ...identity, executable: Buffer.from(path), mountNamespace });
  const message = toBinary(ExecSchema, exec);
  return { key: programKey(message), message };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What is known of a file once it was asked for. */
async function known(file: NamedFile, from = executables) {
  const { key, message } = told(file);
  await from.ask(key, { pid: file.pid, message });
  const { sha256: digest, ...rest } = from.lookup(key)?.message ?? { sha256: new Uint8Array(0) };
  return { ...rest, digest: Buffer.from(digest).toString("hex") };
}

/** A process that runs a copy of sleep. */
async function sleeper(t: ExecutionContext): Promise<{ path: string; child: ChildProcess; file: NamedFile }> {
  const path = join(await temporaryFolder(t), "sleeper");
  copyFileSync("/usr/bin/sleep", path);
  chmodSync(path, 0o755);
  const child = spawn(path, ["600"], { stdio: "ignore" });
  t.teardown(() => child.kill("SIGKILL"));
  await waitFor(() => readlinkSync(`/proc/${child.pid}/exe`) === path, { what: "it runs" });
  return { path, child, file: named(path, child.pid) };
}

const SLEEP = sha256(readFileSync("/usr/bin/sleep"));

test("a program of a package: its digest, its headers, its owner", async (t) => {
  const row = await known(named("/usr/bin/sleep"));
  t.like(row, { digest: SLEEP, gap: FileGap.UNSPECIFIED, ownership: Ownership.PACKAGE, attributesChanged: false });
  t.like(row.package, { manager: "dpkg", name: "coreutils" });
  t.is(row.sizeBytes, BigInt(statSync("/usr/bin/sleep").size));
  t.like(row.elf, { isStatic: false, isStripped: true, isPositionIndependent: true, bits: 64 });
  const notes = execFileSync("readelf", ["-n", "/usr/bin/sleep"], { encoding: "utf8" });
  t.is(Buffer.from(row.elf?.buildId ?? []).toString("hex"), /Build ID: ([0-9a-f]+)/.exec(notes)?.[1] ?? "none");
  const headers = execFileSync("readelf", ["-l", "/usr/bin/sleep"], { encoding: "utf8" });
  t.is(Buffer.from(row.elf?.interpreter ?? []).toString(), /interpreter: ([^\]]+)/.exec(headers)?.[1] ?? "none");
});

test("a program that was deleted while it runs", async (t) => {
  const { path, file } = await sleeper(t);
  rmSync(path);
  const row = await known(file);
  t.like(row, { digest: SLEEP, attributesChanged: true, ownership: Ownership.NO_PACKAGE });
});

test("a program whose file was replaced: what runs counts, not what is there now", async (t) => {
  const { path, child, file } = await sleeper(t);
  writeFileSync(`${path}.new`, "another");
  renameSync(`${path}.new`, path);
  t.is((await known(file)).digest, SLEEP);
  child.kill("SIGKILL");
  await waitFor(() => child.signalCode !== null, { what: "it ended" });
  t.like(inspect(file, 0, LIMITS, THROTTLE), { gap: "gone" });
});

test("a process that is gone: its file is found by its path", async (t) => {
  const { child, file } = await sleeper(t);
  child.kill("SIGKILL");
  await waitFor(() => child.signalCode !== null, { what: "it ended" });
  t.like(await known(file), { digest: SLEEP, attributesChanged: false });
});

test("another process that has the pid by now is not taken for it", async (t) => {
  const { file } = await sleeper(t);
  const other = { ...file, inode: file.inode + 1n, path: "/no/such/file" };
  t.like(await known(other), { digest: "", gap: FileGap.GONE });
});

test("a file that was written to after the event is not its file", async (t) => {
  const path = join(await temporaryFolder(t), "library");
  writeFileSync(path, "before");
  const file = named(path, 0, "library");
  utimesSync(path, new Date(0), new Date(0));
  t.like(await known(file), { digest: "", gap: FileGap.CHANGED });

  const other = named(path, 0, "library");
  chmodSync(path, 0o700);
  t.like(await known(other), { digest: sha256(Buffer.from("before")), attributesChanged: true });
});

test("a file in memory, executed and mapped", async (t) => {
  const code = `import ctypes, os, shutil, sys, mmap, time
fd = os.memfd_create("nameless", 0)
os.write(fd, open("/usr/bin/sleep", "rb").read())
if sys.argv[1] == "run": os.execve("/proc/self/fd/%d" % fd, ["nameless", "600"], {})
kept = mmap.mmap(fd, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_SHARED)
stats = os.fstat(fd)
os.close(fd)
print(stats.st_dev, stats.st_ino, stats.st_ctime_ns, stats.st_mtime_ns, flush=True)
time.sleep(600)`;
  const program = spawn("python3", ["-c", code, "run"], { stdio: "ignore" });
  t.teardown(() => program.kill("SIGKILL"));
  const exe = `/proc/${program.pid}/exe`;
  await waitFor(() => readlinkSync(exe).startsWith("/memfd:nameless"), { what: "it runs" });
  t.like(await known({ ...named(exe, program.pid), path: "/memfd:nameless" }), { digest: SLEEP });

  const mapper = spawn("python3", ["-c", code, "map"], { stdio: ["ignore", "pipe", "ignore"] });
  t.teardown(() => mapper.kill("SIGKILL"));
  let told = "";
  mapper.stdout.on("data", (data) => {
    told += data;
  });
  await waitFor(() => told.endsWith("\n"), { what: "it is mapped" });
  const [device, inode, changed, modified] = told.trim().split(" ");
  const times = { changedNs: BigInt(changed as string), modifiedNs: BigInt(modified as string) };
  const base = named(exe, mapper.pid, "library");
  const file = { ...base, ...times, path: "/memfd:nameless", device: Number(device), inode: BigInt(inode as string) };
  t.like(await known(file), { digest: SLEEP });
});

test("a file in another root, as in a container", async (t) => {
  const root = await temporaryFolder(t);
  for (const path of ["/usr/bin/sleep", ...libraries("/usr/bin/sleep")]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
  mkdirSync(join(root, "lib/apk/db"), { recursive: true });
  writeFileSync(join(root, "lib/apk/db/installed"), "P:tools\nV:1-r0\nA:x86_64\nF:usr/bin\nR:sleep\n");
  // As a runtime does: a mount namespace of its own, whose root is the folder.
  const enter = 'mount --bind "$1" "$1" && cd "$1" && mkdir -p old && pivot_root . old && exec /usr/bin/sleep 600';
  const child = spawn("unshare", ["--mount", "sh", "-c", enter, "sh", root], { stdio: "ignore" });
  t.teardown(() => child.kill("SIGKILL"));
  await waitFor(() => readlinkSync(`/proc/${child.pid}/exe`).endsWith("/sleep"), { what: "it runs" });
  const file = { ...named(join(root, "usr/bin/sleep"), child.pid), path: "/usr/bin/sleep" };
  const row = await known(file);
  t.like(row, { digest: SLEEP, ownership: Ownership.PACKAGE });
  t.like(row.package, { manager: "apk", name: "tools" });
});

/** The libraries and the loader that a program needs. */
function libraries(program: string): string[] {
  return [...execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(/g)].map(([, path = ""]) => path);
}

test("large files are read beside the others, and those that are too large not at all", async (t) => {
  const folder = await temporaryFolder(t);
  const [large, huge] = [join(folder, "large"), join(folder, "huge")];
  writeFileSync(large, Buffer.alloc(SMALL_BYTES_MAX + 1, 7));
  writeFileSync(huge, "");
  truncateSync(huge, 5 * 1024 ** 3);
  const digest = sha256(readFileSync(large));
  t.like(await known(named(large)), { digest, gap: FileGap.UNSPECIFIED });
  t.like(await known(named(huge)), { digest: "", gap: FileGap.TOO_LARGE, sizeBytes: 5n * 1024n ** 3n });
});

test("a file that grows while it is read has no digest", async (t) => {
  const path = join(await temporaryFolder(t), "growing");
  writeFileSync(path, Buffer.alloc(3 * 1024 * 1024));
  const file = named(path);
  // Between two parts of it, it grows.
  const clock = { now: () => 0, sleep: () => appendFileSync(path, "more") };
  const { gap, sha256: digest } = inspect(file, 0, LIMITS, new Throttle(1024 ** 2, 1, clock));
  t.deepEqual({ gap, digest }, { gap: "changed", digest: undefined });
});

test("a FIFO at a file's path, and a file that may not be read", async (t) => {
  const path = join(await temporaryFolder(t), "fifo");
  execFileSync("mkfifo", [path]);
  t.like(await known(named(path)), { digest: "", gap: FileGap.GONE });
  // A file of /proc that says EIO to whoever reads it, as a broken disk does.
  const broken = named("/proc/self/mem");
  t.like(await known({ ...broken, path: "/proc/self/mem" }), { digest: "" });
});

test("what was asked is not read again, but for what may have changed unseen", async (t) => {
  const path = join(await temporaryFolder(t), "program");
  writeFileSync(path, "one");
  let now = 0;
  const own = new Executables(thread, { fileBytesMax: 1024, bytesPerSecond: 1024 ** 2 }, () => now);
  t.teardown(() => own.close());
  utimesSync(path, 1, 1);
  const fresh = named(path);
  await known(fresh, own);
  t.is(own.health().counts.files_read, 1);
  await waitFor(() => Date.now() * 1e6 > Number(fresh.changedNs) + 1e8, { what: "a tick has passed" });
  await known(fresh, own);
  const settled = own.health().counts.files_read;
  await known(fresh, own);
  now += 3_600_000;
  await known(fresh, own);
  t.is(own.health().counts.files_read, settled);
  const fd = openSync(path, "r+");
  ftruncateSync(fd, 2);
  closeSync(fd);
  const changed = named(path);
  t.not(told(changed).key, told(fresh).key);
  t.is((await known(changed, own)).digest, sha256(Buffer.from("on")));
});

test("what is asked while it closes is given up, and rejects nothing", async (t) => {
  const own = new Executables(thread, { fileBytesMax: FILE_BYTES_MAX, bytesPerSecond: 1024 ** 3 });
  await own.ready;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const looks = [1, 2, 3].map(() => own.look(pids.map(Number)));
  await own.close();
  t.deepEqual(await Promise.all(looks), [undefined, undefined, undefined]);
  t.is(await own.look([process.pid]), undefined);
});
