// Owners are changed by path and by descriptor; what was changed, user and group are read back.
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls } from "../support/call.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["chown", "exit"] as const;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
/** What the calls take for "as it is". */
const UNCHANGED = 0xffff_ffff;
const ENOENT = 2n;

kernelTest("each call gives the file, the user and the group", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const path = join(folder, "file");
  writeFileSync(path, "x");
  const at = await call(t, watch, "chown", ["fchownat", { open: folder }, "file", 12, UNCHANGED, AT_SYMLINK_NOFOLLOW]);
  t.is(at.result, 0n);
  t.is(statSync(path).uid, 12);
  t.like(at.data, { ownerUid: 12, ownerGid: UNCHANGED, flags: AT_SYMLINK_NOFOLLOW, fd: -1 });
  t.deepEqual([text(at.data.absolute), text(at.data.requested)], [path, "file"]);
  const byDescriptor = await call(t, watch, "chown", ["fchown", { open: path }, 0, 34]);
  t.like(byDescriptor.data, { ownerUid: 0, ownerGid: 34, flags: 0 });
  t.is(text(byDescriptor.data.absolute), path);
  t.is(text(byDescriptor.data.descriptor?.path ?? new Uint8Array()), path);
  t.true(byDescriptor.data.fd > 2);
  const empty = await call(t, watch, "chown", ["fchownat", { open: path }, "", 1, 1, AT_EMPTY_PATH]);
  t.deepEqual([empty.result, text(empty.data.absolute), empty.data.fd], [0n, path, empty.data.directoryFd]);
  if (!hasOldCalls) return;
  for (const name of ["chown", "lchown"]) {
    const old = await call(t, watch, "chown", [name, join(folder, "missing"), 1, 2]);
    t.is(old.result, -ENOENT);
    t.like(old.data, { ownerUid: 1, ownerGid: 2, directoryFd: AT_FDCWD });
    t.is(text(old.data.absolute), join(folder, "missing"));
  }
});
