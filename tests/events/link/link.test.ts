// Files are given further names, by path and by descriptor; both paths are read back.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescriptorType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls, texts } from "../support/call.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["link", "exit"] as const;

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const AT_EMPTY_PATH = 0x1000;
const ENOENT = 2n;

const KEYS = ["oldAbsolute", "oldRequested", "newAbsolute", "newRequested"] as const;

kernelTest("by path, from directories", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "a"), "x");
  const args = ["linkat", { open: folder }, "a", AT_FDCWD, "b", AT_SYMLINK_FOLLOW] as const;
  const { data, result } = await call(t, watch, "link", args, { cwd: folder });
  t.is(result, 0n);
  t.deepEqual(texts(data, KEYS), {
    oldAbsolute: join(folder, "a"),
    oldRequested: "a",
    newAbsolute: join(folder, "b"),
    newRequested: "b",
  });
  t.like(data, { flags: AT_SYMLINK_FOLLOW, newDirectoryFd: AT_FDCWD, fd: -1 });
});

kernelTest("by descriptor, the file's own path", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const path = join(folder, "a");
  writeFileSync(path, "x");
  const args = ["linkat", { open: path }, "", AT_FDCWD, join(folder, "c"), AT_EMPTY_PATH] as const;
  const { data, result } = await call(t, watch, "link", args);
  t.is(result, 0n);
  t.is(text(data.oldAbsolute), path);
  t.is(data.fd, data.oldDirectoryFd);
  t.is(data.descriptor?.type, DescriptorType.FILE);
  t.is(text(data.descriptor?.path ?? new Uint8Array()), path);
});

kernelTest("a link that fails", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const old = join(folder, "missing");
  const args = hasOldCalls ? ["link", old, "/tmp/"] : ["linkat", AT_FDCWD, old, AT_FDCWD, "/tmp/", 0];
  const { data, result } = await call(t, watch, "link", args as ["link", string, string]);
  t.is(result, -ENOENT);
  t.deepEqual(texts(data, KEYS), { oldAbsolute: old, oldRequested: old, newAbsolute: "/tmp", newRequested: "/tmp/" });
});
