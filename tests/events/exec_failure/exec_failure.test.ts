// Programs that cannot be run, and what the tries left behind.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "execFailure", "exit"] as const;
const ENOENT = -2n;
const ENOEXEC = -8n;
const EACCES = -13n;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const ARGS_MAX = 16;
const ARG_SIZE_MAX = 256;

const FEW = ["first", "", "two words"];

kernelTest("a program that is not there: what was asked for, and the caller stays what it was", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["execve", "/nowhere/program"]);
  const event = await watch.event("execFailure", ({ pid }) => pid === done.pid);
  t.like(event, { tid: done.pid, call: Call.EXECVE, result: ENOENT });
  t.is(text(event.name), "deed");
  t.is(text(event.data.filename), "/nowhere/program");
  t.like(event.data, { directoryFd: AT_FDCWD, flags: 0, argsTruncated: false });
  t.deepEqual(event.data.args.map(text), FEW);
  await watch.ended(done.pid);
  t.is(watch.of("exec", ({ pid }) => pid === done.pid).length, 1);
});

kernelTest("execveat tells its descriptor and flags", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["execveat", "nowhere"]);
  const event = await watch.event("execFailure", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.EXECVEAT, result: ENOENT });
  t.like(event.data, { directoryFd: 9, flags: AT_SYMLINK_NOFOLLOW });
  t.is(text(event.data.filename), "nowhere");
  t.deepEqual(event.data.args.map(text), FEW);
});

kernelTest("a file that is no program, and one that may not be run, fail each in its way", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "garbage"), "garbage", { mode: 0o755 });
  writeFileSync(join(folder, "locked"), "#!/bin/sh\n", { mode: 0o644 });
  for (const [name, result] of [
    ["garbage", ENOEXEC],
    ["locked", EACCES],
  ] as const) {
    const done = deed.do(["execve", join(folder, name)]);
    t.is((await watch.event("execFailure", ({ pid }) => pid === done.pid)).result, result);
  }
});

kernelTest("many and long arguments are cut, and it is told", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["many", "/nowhere"]);
  const { data } = await watch.event("execFailure", ({ pid }) => pid === done.pid);
  t.true(data.argsTruncated);
  const expected = Array.from({ length: ARGS_MAX }, (_, index) => (index === 1 ? "x".repeat(ARG_SIZE_MAX - 1) : "a"));
  t.deepEqual(data.args.map(text), expected);
});

kernelTest("without arguments, and with what worked: no failure is made up", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const done = deed.do(["null", "/nowhere"]);
  const { data } = await watch.event("execFailure", ({ pid }) => pid === done.pid);
  t.deepEqual(data.args, []);
  await watch.probe.stop();
  t.true(balances(watch.ledger("execFailure")));
  t.deepEqual(
    watch.of("execFailure", ({ result }) => result >= 0n),
    [],
  );
});
