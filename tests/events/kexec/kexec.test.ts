// A kernel to start next is loaded by someone who may not, and the tries are read back.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const NO_INITRD = 4n;
const ON_CRASH = 1n;

kernelTest("a kernel's file and its command line; and segments", async (t) => {
  const watch = watchKernel(t, { types: ["kexec"] });
  const path = join(temporaryFolder(t), "vmlinuz");
  writeFileSync(path, "no kernel");
  const done = compileDeed(t, import.meta.dirname).do([path, "root=/dev/evil"]);
  const [fd = 0, byFile = 0, bySegments = 0] = done.stdout.split(" ").map(Number);

  const file = await watch.event("kexec", ({ pid, call }) => pid === done.pid && call === Call.KEXEC_FILE_LOAD);
  t.is(file.result, BigInt(byFile));
  t.true(file.result < 0n);
  t.like(file.data, { fd, initrdFd: -1, flags: NO_INITRD });
  t.is(text(file.data.descriptor?.path ?? new Uint8Array()), path);
  t.is(text(file.data.commandLine), "root=/dev/evil");

  const segments = await watch.event("kexec", ({ pid, call }) => pid === done.pid && call === Call.KEXEC_LOAD);
  t.is(segments.result, BigInt(bySegments));
  t.like(segments.data, { fd: -1, segments: 0n, flags: ON_CRASH });
});
