// Working directories changed, and where that led.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["chdir", "exit"] as const;
const ENOENT = -2n;

kernelTest("chdir through a link tells what was asked for and where it led", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "real"));
  symlinkSync("real", join(folder, "link"));
  const done = deed.do(["chdir", "./link"], { cwd: folder });
  const event = await watch.event("chdir", ({ pid, call }) => pid === done.pid && call === Call.CHDIR);
  await watch.ended(done.pid);
  const own = watch.of("chdir", ({ pid }) => pid === done.pid).at(-1);
  t.is(event.result, 0n);
  t.deepEqual(
    [own?.data.requested, own?.data.path].map((bytes) => text(bytes ?? new Uint8Array())),
    ["./link", join(folder, "real")],
  );
  t.false(own?.data.pathTruncated);
});

kernelTest("fchdir tells its descriptor and where it led", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const done = compileDeed(t, import.meta.dirname).do(["fchdir", folder]);
  const { data, result } = await watch.event("chdir", ({ pid, call }) => pid === done.pid && call === Call.FCHDIR);
  t.is(result, 0n);
  t.like(data, { fd: 9, requested: new Uint8Array() });
  t.is(text(data.path), folder);
});

kernelTest("a directory that is not there leads nowhere", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["chdir", "/nowhere"]);
  const { data, result } = await watch.event("chdir", ({ pid, call }) => pid === done.pid && call === Call.CHDIR);
  t.is(result, ENOENT);
  t.is(text(data.requested), "/nowhere");
  t.deepEqual(data.path, new Uint8Array());
});
