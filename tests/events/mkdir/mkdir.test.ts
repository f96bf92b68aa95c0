// Directories are made, and one that is there already; path and mode are read back.
import { statSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call, hasOldCalls, texts } from "../support/call.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

const TYPES = ["mkdir", "exit"] as const;

const AT_FDCWD = -100;
const EEXIST = 17n;

const KEYS = ["absolute", "requested"] as const;

kernelTest("each call gives path and mode, and an error where there is one", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const made = await call(t, watch, "mkdir", ["mkdirat", { open: folder }, "one", 0o750]);
  t.is(made.result, 0n);
  t.deepEqual(texts(made.data, KEYS), { absolute: join(folder, "one"), requested: "one" });
  t.is(made.data.mode, 0o750);
  t.is(statSync(join(folder, "one")).mode & 0o777, 0o750);
  const again = await call(t, watch, "mkdir", ["mkdirat", AT_FDCWD, "one", 0o700], { cwd: folder });
  t.is(again.result, -EEXIST);
  t.like(again.data, { directoryFd: AT_FDCWD, mode: 0o700 });
  if (!hasOldCalls) return;
  const path = join(folder, ".hidden");
  const hidden = await call(t, watch, "mkdir", ["mkdir", path, 0o1777]);
  t.deepEqual(texts(hidden.data, KEYS), { absolute: path, requested: path });
  t.is(hidden.data.mode, 0o1777);
});
