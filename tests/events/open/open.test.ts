// Files are opened in every way there is, and some are not there; what was opened is read back.
import { chmodSync, constants, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Call, CallAbi, DescriptorType, TypeInterestSchema, wholeType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed, type DeedOptions } from "../support/deed.ts";
import { balances, idsOf, kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";

const TYPES = ["open", "exit"] as const;

const { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const AT_FDCWD = -100;
const ENOENT = 2n;
const EACCES = 13n;
const NOBODY = 65534;

/** Classes of opens, as TypeInterest has them: for writing, with or without reading; and all that fail. */
const WRITES = (1 << 2) | (1 << 3);
const FAILURES = 0xf0;

function wantOpens(watch: Watch, everything: number): void {
  const exit = idsOf(["exit"])[0] as number;
  const open = idsOf(["open"])[0] as number;
  watch.probe.setInterest(
    new Map([
      [exit, wholeType(exit)],
      [open, create(TypeInterestSchema, { eventType: open, everything })],
    ]),
  );
}

interface Deed {
  call: string;
  path: string;
  flags?: number;
  mode?: number;
  directory?: string;
}

/** Opens as told, and returns the record of exactly that open. */
async function open(t: ExecutionContext, watch: Watch, deed: Deed, options: DeedOptions = {}): Promise<Seen<"open">> {
  const { call, path, flags = O_RDONLY, mode = 0, directory = "-" } = deed;
  const program = compileDeed(t, import.meta.dirname);
  if (options.uid !== undefined) chmodSync(join(program.path, ".."), 0o755);
  const done = program.do([call, path, String(flags), String(mode), directory], options);
  await watch.ended(done.pid);
  const seen = watch.of("open", (event) => event.pid === done.pid && text(event.data.requested) === path);
  t.is(seen.length, 1);
  const event = seen[0] as Seen<"open">;
  t.like(event, { tid: done.pid, parentPid: process.pid, result: BigInt(done.stdout) });
  t.is(text(event.name), "deed");
  return event;
}

kernelTest("an open for reading gives path, inode, device and type", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "file");
  writeFileSync(path, "x", { mode: 0o640 });
  const { data, call, uid, gid } = await open(t, watch, { call: "openat", path });
  const { ino, dev, mode } = statSync(path);
  t.like({ call, uid, gid }, { call: Call.OPENAT, uid: 0, gid: 0 });
  t.is(text(data.path), path);
  t.like(data, { flags: BigInt(O_RDONLY), mode: 0, fileMode: mode, directoryFd: AT_FDCWD, device: dev });
  t.like(data, { inode: BigInt(ino), created: false, type: DescriptorType.FILE, pathTruncated: false });
});

kernelTest("each of the calls is told from the others, and an open that makes a file says so", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const calls = [
    { call: "openat", id: Call.OPENAT, flags: O_RDWR | O_CREAT },
    { call: "openat2", id: Call.OPENAT2, flags: O_WRONLY | O_CREAT | O_EXCL },
    ...(process.arch === "x64"
      ? [
          { call: "open", id: Call.OPEN, flags: O_WRONLY | O_CREAT },
          { call: "creat", id: Call.CREAT, flags: O_WRONLY | O_CREAT | O_TRUNC },
        ]
      : []),
  ];
  for (const { call, id, flags } of calls) {
    const path = join(folder, call);
    const event = await open(t, watch, { call, path, flags, mode: 0o604 });
    t.is(event.call, id);
    t.like(event.data, { flags: BigInt(flags), mode: 0o604, fileMode: 0o100604, created: true });
    t.is(text(event.data.path), path);
  }
  const again = await open(t, watch, { call: "openat", path: join(folder, "openat"), flags: O_RDWR | O_CREAT });
  t.false(again.data.created);
});

kernelTest("a relative path is resolved, from the working directory and from a directory's descriptor", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "inner"));
  writeFileSync(join(folder, "inner", "file"), "x");
  const path = "../inner/file";
  const fromHere = await open(t, watch, { call: "openat", path }, { cwd: join(folder, "inner") });
  t.is(text(fromHere.data.path), join(folder, "inner", "file"));
  t.is(fromHere.data.directoryFd, AT_FDCWD);
  const fromThere = await open(t, watch, { call: "openat2", path: "file", directory: join(folder, "inner") });
  t.is(text(fromThere.data.path), join(folder, "inner", "file"));
  t.true(fromThere.data.directoryFd > 2);
});

kernelTest("behind a symbolic link is the file that was opened", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  symlinkSync("/etc/passwd", join(folder, "innocent"));
  const { data } = await open(t, watch, { call: "openat", path: join(folder, "innocent") });
  t.is(text(data.path), "/etc/passwd");
  t.is(text(data.requested), join(folder, "innocent"));
});

kernelTest("a directory, a device, the root", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const directory = await open(t, watch, { call: "openat", path: folder, flags: O_DIRECTORY });
  t.is(directory.data.type, DescriptorType.DIRECTORY);
  const device = await open(t, watch, { call: "openat", path: "/dev/null", flags: O_RDWR });
  t.is(device.data.type, DescriptorType.CHARACTER);
  t.is(text(device.data.path), "/dev/null");
  const root = await open(t, watch, { call: "openat", path: "/..", flags: O_DIRECTORY });
  t.is(text(root.data.path), "/");
});

kernelTest("an open that fails is told with what was asked for and the error", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const missing = await open(t, watch, { call: "openat", path: join(folder, "nothing") });
  t.is(missing.result, -ENOENT);
  t.deepEqual([text(missing.data.path), missing.data.inode, missing.data.type], ["", 0n, DescriptorType.UNSPECIFIED]);
  const secret = { call: "openat", path: "/etc/shadow", flags: O_WRONLY };
  const denied = await open(t, watch, secret, { uid: NOBODY, gid: NOBODY });
  t.like(denied, { result: -EACCES, uid: NOBODY, gid: NOBODY });
  t.is(denied.data.flags, BigInt(O_WRONLY));
});

kernelTest("a path too deep to be walked has lost its beginning and says so", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const cwd = temporaryFolder(t);
  const depth = 120;
  const done = compileDeed(t, import.meta.dirname).do(["deep", "", "0", String(depth), "-"], { cwd });
  await watch.ended(done.pid);
  const [event] = watch.of("open", ({ pid, data }) => pid === done.pid && text(data.requested) === "leaf");
  t.true(event?.data.pathTruncated);
  t.regex(text(event?.data.path ?? new Uint8Array()), /^deep(\/deep){50,}\/leaf$/);
});

kernelTest("a 32-bit call is read as what it is, and says how it came", async (t) => {
  if (process.arch !== "x64") return void t.pass("only x86-64 lets a 64-bit program make one");
  const watch = watchKernel(t, { types: TYPES });
  const { data, call, abi } = await open(t, watch, { call: "compat", path: "/etc/hostname", flags: O_RDWR });
  t.like({ call, abi }, { call: Call.OPEN, abi: CallAbi.CALL_ABI_32_BIT });
  t.is(text(data.path), "/etc/hostname");
  t.is(data.flags, BigInt(O_RDWR));
  await watch.probe.stop();
  t.true(balances(watch.ledger("open")));
});

kernelTest("opens that no one wants are filtered in the kernel and counted", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "file");
  const deed = compileDeed(t, import.meta.dirname);
  const doneWith = async (flags: number) => {
    const { pid } = deed.do(["openat", path, String(flags), "0600", "-"]);
    await watch.ended(pid);
    return watch.of("open", (event) => event.pid === pid).map(({ data }) => text(data.requested));
  };
  wantOpens(watch, WRITES);
  t.deepEqual(await doneWith(O_WRONLY | O_CREAT), [path]);
  t.deepEqual(await doneWith(O_RDONLY), []);
  wantOpens(watch, FAILURES);
  const failures = await doneWith(O_WRONLY | O_EXCL | O_CREAT);
  t.is(failures.at(-1), path);
  watch.want(["exit"]);
  t.deepEqual(await doneWith(O_WRONLY | O_EXCL | O_CREAT), []);
  await watch.probe.stop();
  const ledger = watch.ledger("open");
  t.true(ledger.filtered > 0n && balances(ledger));
});
