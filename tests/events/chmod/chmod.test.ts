// Modes are changed by path and by descriptor; what was changed and the mode are read back.
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescriptorType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls, texts } from "../support/call.ts";
import { kernelTest, notHere, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["chmod", "exit"] as const;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const ENOENT = 2n;
const EBADF = 9n;
const ENOSYS = 38n;

const KEYS = ["absolute", "requested"] as const;

kernelTest("by path", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const path = join(folder, "file");
  writeFileSync(path, "x");
  const inFolder = { cwd: folder };
  const at = await call(t, watch, "chmod", ["fchmodat", AT_FDCWD, "file", 0o4755], inFolder);
  t.is(at.result, 0n);
  t.is(statSync(path).mode & 0o7777, 0o4755);
  t.deepEqual(texts(at.data, KEYS), { absolute: path, requested: "file" });
  t.like(at.data, { mode: 0o4755, directoryFd: AT_FDCWD, fd: -1, flags: 0 });
  t.is(at.data.descriptor, undefined);
  const missing = await call(t, watch, "chmod", ["fchmodat", { open: folder }, "nothing", 0o600]);
  t.is(missing.result, -ENOENT);
  t.deepEqual(texts(missing.data, KEYS), { absolute: join(folder, "nothing"), requested: "nothing" });
  if (!hasOldCalls) return;
  const old = await call(t, watch, "chmod", ["chmod", path, 0o640]);
  t.deepEqual([old.result, old.data.mode, text(old.data.absolute)], [0n, 0o640, path]);
});

kernelTest("by descriptor, with the file's own path", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "file");
  writeFileSync(path, "x");
  const { data, result } = await call(t, watch, "chmod", ["fchmod", { open: path }, 0o100]);
  t.is(result, 0n);
  t.is(data.mode, 0o100);
  t.deepEqual(texts(data, KEYS), { absolute: path, requested: "" });
  t.true(data.fd > 2);
  t.is(text(data.descriptor?.path ?? new Uint8Array()), path);
  t.is(data.descriptor?.type, DescriptorType.FILE);
  const newer = await call(t, watch, "chmod", ["fchmodat2", { open: path }, "", 0o700, AT_EMPTY_PATH]);
  if (newer.result === -ENOSYS) return notHere(t, "fchmodat2 came with 6.6");
  t.is(newer.result, 0n);
  t.like(newer.data, { mode: 0o700, flags: AT_EMPTY_PATH, fd: newer.data.directoryFd });
  t.is(text(newer.data.absolute), path);
  const closed = await call(t, watch, "chmod", ["fchmod", 99, 0o777]);
  t.is(closed.result, -EBADF);
  t.deepEqual([closed.data.fd, closed.data.descriptor], [99, undefined]);
});
