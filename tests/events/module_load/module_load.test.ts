// Modules are loaded, which the kernel refuses since they are none, and what was tried is read back.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const NO_MODULE = "this is no module";
const ARGUMENTS_BYTES_MAX = 4_095;
const IGNORE_VERMAGIC = 2;

kernelTest("a module from a file and one from memory", async (t) => {
  const watch = watchKernel(t, { types: ["moduleLoad"] });
  const path = join(temporaryFolder(t), "evil.ko");
  writeFileSync(path, NO_MODULE);
  const done = compileDeed(t, import.meta.dirname).do([path, "debug=1"]);
  const [fd = 0, fromFile = 0, fromMemory = 0] = done.stdout.split(" ").map(Number);
  t.true(fromFile < 0 && fromMemory < 0);

  const file = await watch.event("moduleLoad", ({ pid, call }) => pid === done.pid && call === Call.FINIT_MODULE);
  t.is(file.result, BigInt(fromFile));
  t.like(file.data, { fd, flags: IGNORE_VERMAGIC, sizeBytes: BigInt(NO_MODULE.length), argumentsTruncated: false });
  t.is(text(file.data.descriptor?.path ?? new Uint8Array()), path);
  t.is(text(file.data.arguments), "debug=1");

  const memory = await watch.event("moduleLoad", ({ pid, call }) => pid === done.pid && call === Call.INIT_MODULE);
  t.is(memory.result, BigInt(fromMemory));
  t.like(memory.data, { fd: -1, flags: 0, sizeBytes: BigInt(NO_MODULE.length + 1) });
  t.is(text(memory.data.arguments), "debug=1");
});

kernelTest("parameters that are too long are cut, and say so", async (t) => {
  const watch = watchKernel(t, { types: ["moduleLoad"] });
  const done = compileDeed(t, import.meta.dirname).do(["/nothing", "x".repeat(ARGUMENTS_BYTES_MAX + 1)]);
  const { data } = await watch.event("moduleLoad", ({ pid }) => pid === done.pid);
  t.is(data.arguments.length, ARGUMENTS_BYTES_MAX);
  t.true(data.argumentsTruncated);
  t.is(data.fd, -1);
});
