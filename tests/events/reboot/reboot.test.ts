// A reboot is asked for wrongly, so that nothing happens, and the try is read back.
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const WRONG_MAGIC = 1;
const MAGIC2 = 672274793;
const RESTART2 = 0xa1b2c3d4;
const EINVAL = 22n;

kernelTest("a reboot with a text for the firmware", async (t) => {
  const watch = watchKernel(t, { types: ["reboot"] });
  const done = compileDeed(t, import.meta.dirname).do(["to firmware"]);
  const { call, result, data } = await watch.event("reboot", ({ pid }) => pid === done.pid);
  t.like({ call, result }, { call: Call.REBOOT, result: -EINVAL });
  t.like(data, { magic: WRONG_MAGIC, magic2: MAGIC2, command: RESTART2 });
  t.is(text(data.argument), "to firmware");
});
