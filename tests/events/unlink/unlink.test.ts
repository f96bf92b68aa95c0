// Names of files and directories are removed, and one that is not there; their paths are read back.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls, texts } from "../support/call.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

const TYPES = ["unlink", "exit"] as const;

const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;
const ENOENT = 2n;

const KEYS = ["absolute", "requested"] as const;

kernelTest("unlinkat from a directory, of a file and of a directory", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "file"), "x");
  mkdirSync(join(folder, "inner"));
  const file = await call(t, watch, "unlink", ["unlinkat", { open: folder }, "file", 0]);
  t.deepEqual(texts(file.data, KEYS), { absolute: join(folder, "file"), requested: "file" });
  t.like(file, { result: 0n });
  t.is(file.data.flags, 0);
  t.true(file.data.directoryFd > 2);
  const inner = await call(t, watch, "unlink", ["unlinkat", AT_FDCWD, "inner", AT_REMOVEDIR], { cwd: folder });
  t.deepEqual(texts(inner.data, KEYS), { absolute: join(folder, "inner"), requested: "inner" });
  t.like(inner.data, { directoryFd: AT_FDCWD, flags: AT_REMOVEDIR });
  t.is(inner.result, 0n);
});

kernelTest("unlink and rmdir, and what fails", async (t) => {
  if (!hasOldCalls) return void t.pass("this machine has only unlinkat");
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const path = join(folder, "name");
  writeFileSync(path, "x");
  const file = await call(t, watch, "unlink", ["unlink", path]);
  t.is(file.result, 0n);
  const missing = await call(t, watch, "unlink", ["unlink", path]);
  t.is(missing.result, -ENOENT);
  mkdirSync(path);
  const directory = await call(t, watch, "unlink", ["rmdir", path]);
  t.is(directory.result, 0n);
  for (const { data } of [file, missing, directory])
    t.deepEqual(texts(data, KEYS), { absolute: path, requested: path });
});
