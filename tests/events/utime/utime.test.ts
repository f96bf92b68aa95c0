// The times of files are set, as who hides a change does; the times and the file are read back.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TimeChange } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls } from "../support/call.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["utime", "exit"] as const;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;
const ENOENT = 2n;

const HOUR_S = 3_600;

kernelTest("utimensat: times given, the present and those left alone", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const path = join(folder, "file");
  writeFileSync(path, "x");
  const given = await call(t, watch, "utime", ["utimensat", { open: folder }, "file", [HOUR_S, 5, -HOUR_S, 7], 0]);
  t.is(given.result, 0n);
  t.like(given.data, {
    accessTimeNs: 3_600_000_000_005n,
    modifiedTimeNs: -3_599_999_999_993n,
    accessChange: TimeChange.GIVEN,
    modifiedChange: TimeChange.GIVEN,
    fd: -1,
  });
  t.deepEqual([text(given.data.absolute), text(given.data.requested)], [path, "file"]);
  const special = [0, UTIME_NOW, 0, UTIME_OMIT];
  const args = ["utimensat", AT_FDCWD, path, special, AT_SYMLINK_NOFOLLOW] as const;
  const { data } = await call(t, watch, "utime", args);
  t.like(data, { accessChange: TimeChange.NOW, modifiedChange: TimeChange.NONE, flags: AT_SYMLINK_NOFOLLOW });
  t.deepEqual([data.accessTimeNs, data.modifiedTimeNs], [0n, 0n]);
  const byDescriptor = await call(t, watch, "utime", ["utimensat", { open: path }, null, null, 0]);
  t.is(byDescriptor.result, 0n);
  t.like(byDescriptor.data, { accessChange: TimeChange.NOW, modifiedChange: TimeChange.NOW });
  t.is(byDescriptor.data.fd, byDescriptor.data.directoryFd);
  t.is(text(byDescriptor.data.absolute), path);
  t.is(text(byDescriptor.data.descriptor?.path ?? new Uint8Array()), path);
});

kernelTest("utime, utimes and futimesat", async (t) => {
  if (!hasOldCalls) return void t.pass("this machine has only utimensat");
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const path = join(folder, "file");
  writeFileSync(path, "x");
  const seconds = await call(t, watch, "utime", ["utime", path, [1, 2]]);
  t.like(seconds.data, { accessTimeNs: 1_000_000_000n, modifiedTimeNs: 2_000_000_000n });
  const microseconds = await call(t, watch, "utime", ["utimes", path, [1, 2, 3, 4]]);
  t.like(microseconds.data, { accessTimeNs: 1_000_002_000n, modifiedTimeNs: 3_000_004_000n });
  const at = await call(t, watch, "utime", ["futimesat", { open: folder }, "missing", [1, 0, 1, 0]]);
  t.is(at.result, -ENOENT);
  t.is(text(at.data.absolute), join(folder, "missing"));
});
