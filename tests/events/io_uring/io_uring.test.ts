// A ring is made and refused a change, and both are read back.
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

const ENTRIES = 4;
const SUBMITTING_THREAD = 2;
const IDLE_MS = 100;
const NO_OPERATION = 4_095;

kernelTest("a ring with a thread of the kernel, and a change there is not", async (t) => {
  const watch = watchKernel(t, { types: ["ioUring"] });
  const folder = temporaryFolder(t);
  const done = compileDeed(t, import.meta.dirname).do(["open", join(folder, "file"), "-", "thread"]);
  const [, fd = 0, registered = 0] = done.stdout.split(" ").map(Number);
  const made = await watch.event("ioUring", ({ pid, call }) => pid === done.pid && call === Call.IO_URING_SETUP);
  t.is(made.result, BigInt(fd));
  t.like(made.data, { fd: -1, entries: ENTRIES, submissionEntries: ENTRIES, completionEntries: 2 * ENTRIES });
  t.like(made.data, { flags: SUBMITTING_THREAD, threadIdleMs: IDLE_MS });
  t.true(made.data.features > 0);
  const changed = await watch.event("ioUring", ({ pid, call }) => pid === done.pid && call === Call.IO_URING_REGISTER);
  t.is(changed.result, BigInt(registered));
  t.true(changed.result < 0n);
  t.like(changed.data, { fd, operation: NO_OPERATION, arguments: 7 });
});
