// Unmounting is tried; path and flags are read back.
import { temporaryFolder } from "@nightjar/test-support";
import { call } from "../support/call.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["umount", "exit"] as const;

const MNT_DETACH = 2;
const EINVAL = 22n;

kernelTest("gives path and flags, and the error", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const { data, result } = await call(t, watch, "umount", ["umount2", ".", MNT_DETACH], { cwd: folder });
  t.is(result, -EINVAL, "nothing is mounted there");
  t.deepEqual([text(data.absolute), text(data.requested)], [folder, "."]);
  t.is(data.flags, MNT_DETACH);
});
