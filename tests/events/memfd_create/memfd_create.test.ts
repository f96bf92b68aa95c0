// Files in memory made, with their names.
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["memfdCreate", "exit"] as const;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const EINVAL = -22n;
/** From mm/memfd.c: the longest name. */
const NAME_BYTES_MAX = 249;

kernelTest("a file in memory is told with its name, flags, descriptor and inode", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const name = "x".repeat(NAME_BYTES_MAX);
  const done = compileDeed(t, import.meta.dirname).do([name, String(flags)]);
  const [fd, inode] = done.stdout.split(" ");
  const event = await watch.event("memfdCreate", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.MEMFD_CREATE, result: BigInt(fd ?? "") });
  t.like(event.data, { fd: Number(fd), flags, inode: BigInt(inode ?? "") });
  t.is(text(event.data.name), name);
});

kernelTest("a name that is too long is refused, and told", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["x".repeat(NAME_BYTES_MAX + 1), "0"]);
  const event = await watch.event("memfdCreate", ({ pid }) => pid === done.pid);
  t.is(event.result, EINVAL);
  t.like(event.data, { fd: -1, flags: 0, inode: 0n });
});
