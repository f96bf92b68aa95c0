// Extended attributes are set and removed by path and by descriptor; name, value and file are read back.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call, texts } from "../support/call.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["setxattr", "exit"] as const;

const XATTR_REPLACE = 2;
/** What the kernel program keeps of a value. */
const VALUE_BYTES_MAX = 64;

const KEYS = ["absolute", "requested", "name", "value"] as const;
const NAME = "user.nightjar";

kernelTest("each call gives the file, the name and the beginning of the value", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "file");
  writeFileSync(path, "x");
  const value = "v".repeat(100);
  const beginning = value.slice(0, VALUE_BYTES_MAX);
  for (const name of ["setxattr", "lsetxattr"]) {
    const { data } = await call(t, watch, "setxattr", [name, path, NAME, value, value.length, 0]);
    t.deepEqual(texts(data, KEYS), { absolute: path, requested: path, name: NAME, value: beginning });
    t.like(data, { sizeBytes: 100n, flags: 0, fd: -1 });
  }
  const args = ["fsetxattr", { open: path }, NAME, "abc", 3, XATTR_REPLACE] as const;
  const byDescriptor = await call(t, watch, "setxattr", args);
  t.deepEqual(texts(byDescriptor.data, KEYS), { absolute: path, requested: "", name: NAME, value: "abc" });
  t.like(byDescriptor.data, { sizeBytes: 3n, flags: XATTR_REPLACE });
  for (const name of ["removexattr", "lremovexattr"]) {
    const removed = await call(t, watch, "setxattr", [name, path, NAME]);
    t.deepEqual(texts(removed.data, KEYS), { absolute: path, requested: path, name: NAME, value: "" });
    t.is(removed.data.sizeBytes, 0n);
  }
  const again = await call(t, watch, "setxattr", ["fremovexattr", { open: path }, NAME]);
  t.true(again.result < 0n, "it is gone");
  t.is(text(again.data.descriptor?.path ?? new Uint8Array()), path);
});

kernelTest("the calls that take a directory, where the kernel has them", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "file"), "x");
  const args = ["setxattrat", { open: folder }, "file", 0, NAME, [0, 4], 16] as const;
  const set = await call(t, watch, "setxattr", args);
  t.is(text(set.data.name), NAME);
  t.is(text(set.data.absolute), join(folder, "file"));
  t.like(set.data, { sizeBytes: 4n, flags: 0 });
  const removed = await call(t, watch, "setxattr", ["removexattrat", { open: folder }, "file", 0, NAME]);
  t.deepEqual([text(removed.data.absolute), text(removed.data.name)], [join(folder, "file"), NAME]);
});
