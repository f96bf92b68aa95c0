// A module is removed that is not there, and the try is read back.
import { constants } from "node:fs";
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

kernelTest("a module that is to be removed by force", async (t) => {
  const watch = watchKernel(t, { types: ["moduleUnload"] });
  const done = compileDeed(t, import.meta.dirname).do(["no_such_module"]);
  const { call, result, data } = await watch.event("moduleUnload", ({ pid }) => pid === done.pid);
  t.like({ call, result }, { call: Call.DELETE_MODULE, result: BigInt(done.stdout) });
  t.true(result < 0n);
  t.is(text(data.name), "no_such_module");
  t.is(data.flags, constants.O_NONBLOCK | constants.O_TRUNC);
});
