// Symbolic links are made; what they say and where they are is read back.
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls, texts } from "../support/call.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

const TYPES = ["symlink", "exit"] as const;

const AT_FDCWD = -100;
const EEXIST = 17n;

const KEYS = ["target", "absolute", "requested"] as const;

kernelTest("each call gives what the link says and where it is, and an error where there is one", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const absolute = join(folder, "link");
  const made = await call(t, watch, "symlink", ["symlinkat", "../etc/shadow", { open: folder }, "link"]);
  t.is(made.result, 0n);
  t.deepEqual(texts(made.data, KEYS), { target: "../etc/shadow", absolute, requested: "link" });
  t.true(made.data.directoryFd > 2);
  const again = await call(t, watch, "symlink", ["symlinkat", "/etc", AT_FDCWD, "link"], { cwd: folder });
  t.is(again.result, -EEXIST);
  t.deepEqual(texts(again.data, KEYS), { target: "/etc", absolute, requested: "link" });
  if (!hasOldCalls) return;
  const other = join(folder, "other");
  const old = await call(t, watch, "symlink", ["symlink", "/etc/shadow", other]);
  t.deepEqual(texts(old.data, KEYS), { target: "/etc/shadow", absolute: other, requested: other });
  t.is(old.data.directoryFd, AT_FDCWD);
});
