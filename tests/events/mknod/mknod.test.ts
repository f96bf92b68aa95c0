// Devices and pipes are made; path, mode and device are read back.
import { statSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls } from "../support/call.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["mknod", "exit"] as const;

const AT_FDCWD = -100;
const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;
/** /dev/mem, major 1, minor 1, as stat(2) gives it. */
const MEMORY_DEVICE = 0x101;
const EEXIST = 17n;

kernelTest("each call gives path, mode and device, and an error where there is one", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const pipe = await call(t, watch, "mknod", ["mknodat", { open: folder }, "pipe", S_IFIFO | 0o600, 0]);
  t.is(pipe.result, 0n);
  t.true(statSync(join(folder, "pipe")).isFIFO());
  t.deepEqual([text(pipe.data.absolute), text(pipe.data.requested)], [join(folder, "pipe"), "pipe"]);
  t.like(pipe.data, { mode: S_IFIFO | 0o600, device: 0 });
  const args = ["mknodat", AT_FDCWD, "memory", S_IFCHR | 0o644, MEMORY_DEVICE] as const;
  const denied = await call(t, watch, "mknod", args, { cwd: "/", uid: 65534, gid: 65534 });
  t.true(denied.result < 0n);
  t.is(text(denied.data.absolute), "/memory");
  t.like(denied.data, { mode: S_IFCHR | 0o644, device: MEMORY_DEVICE, directoryFd: AT_FDCWD });
  if (!hasOldCalls) return;
  const old = await call(t, watch, "mknod", ["mknod", join(folder, "pipe"), S_IFIFO, 0]);
  t.is(old.result, -EEXIST);
});
