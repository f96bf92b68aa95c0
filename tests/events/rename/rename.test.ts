// Files are renamed in every way there is; both paths are read back, as they were passed and absolute.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls, texts } from "../support/call.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

const TYPES = ["rename", "exit"] as const;

const AT_FDCWD = -100;
const RENAME_NOREPLACE = 1;
const ENOENT = 2n;
const EBADF = 9n;

const KEYS = ["oldAbsolute", "oldRequested", "newAbsolute", "newRequested"] as const;

kernelTest("a rename from and to directories gives both paths, as passed and absolute", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  for (const name of ["from", "to"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "from", "a"), "x");
  const from = { open: join(folder, "from") };
  const to = { open: join(folder, "to") };
  const { data, result } = await call(t, watch, "rename", ["renameat2", from, "a", to, "./b", RENAME_NOREPLACE]);
  t.is(result, 0n);
  t.deepEqual(texts(data, KEYS), {
    oldAbsolute: join(folder, "from", "a"),
    oldRequested: "a",
    newAbsolute: join(folder, "to", "b"),
    newRequested: "./b",
  });
  t.is(data.flags, RENAME_NOREPLACE);
  t.true(data.oldDirectoryFd > 2 && data.newDirectoryFd > data.oldDirectoryFd);
});

kernelTest("a relative rename starts from the working directory", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const cwd = temporaryFolder(t);
  mkdirSync(join(cwd, "inner"));
  writeFileSync(join(cwd, "a"), "x");
  const args = ["renameat", AT_FDCWD, "inner/../a", AT_FDCWD, "inner/b"] as const;
  const { data } = await call(t, watch, "rename", args, { cwd });
  t.deepEqual(texts(data, KEYS), {
    oldAbsolute: join(cwd, "a"),
    oldRequested: "inner/../a",
    newAbsolute: join(cwd, "inner", "b"),
    newRequested: "inner/b",
  });
  t.like(data, { oldDirectoryFd: AT_FDCWD, newDirectoryFd: AT_FDCWD, flags: 0 });
});

kernelTest("a rename that fails is told with what was asked for and the error", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const old = join(folder, "missing");
  const name = hasOldCalls ? "rename" : "renameat";
  // On the same file system: from another it would be refused first.
  const [newAbsolute, newRequested] = [join(folder, "x"), `${folder}/../${basename(folder)}/x`];
  const args = hasOldCalls ? [old, newRequested] : [AT_FDCWD, old, AT_FDCWD, newRequested];
  const { data, result } = await call(t, watch, "rename", [name, ...args]);
  t.is(result, -ENOENT);
  t.deepEqual(texts(data, KEYS), { oldAbsolute: old, oldRequested: old, newAbsolute, newRequested });
});

kernelTest("a path from a directory that is not open has no absolute form", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data, result } = await call(t, watch, "rename", ["renameat", 99, "a", 99, "b"]);
  t.is(result, -EBADF);
  t.deepEqual(texts(data, KEYS), { oldAbsolute: "", oldRequested: "a", newAbsolute: "", newRequested: "b" });
});
