// A host and its domain are renamed, in a namespace of their own, and the names are read back.
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

kernelTest("the host's name and the domain's", async (t) => {
  const watch = watchKernel(t, { types: ["hostname"] });
  const done = compileDeed(t, import.meta.dirname).do(["nightjar-test"]);
  t.is(done.stdout, "0 0");
  for (const call of [Call.SETHOSTNAME, Call.SETDOMAINNAME]) {
    const event = await watch.event("hostname", (seen) => seen.pid === done.pid && seen.call === call);
    t.is(event.result, 0n);
    t.is(text(event.data.name), "nightjar-test");
  }
});
