// A key is put into a ring, looked for and revoked, and each of it is read back.
import { Call } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const PROCESS_KEYRING = -2;
const THREAD_KEYRING = -1;
const KEYCTL_REVOKE = 3;

kernelTest("a key's life", async (t) => {
  const watch = watchKernel(t, { types: ["keyctl"] });
  const done = compileDeed(t, import.meta.dirname).do(["nightjar:test"]);
  const [added = 0, found = 0, revoked = 0] = done.stdout.split(" ").map(Number);
  const events = await waitFor(
    () => {
      const all = watch.of("keyctl", ({ pid }) => pid === done.pid);
      return all.length >= 3 ? all : undefined;
    },
    { what: "all three calls are seen" },
  );
  t.deepEqual(
    events.map(({ call, result }) => [call, Number(result)]),
    [
      [Call.ADD_KEY, added],
      [Call.REQUEST_KEY, found],
      [Call.KEYCTL, revoked],
    ],
  );
  for (const { data } of events.slice(0, 2)) {
    t.deepEqual([text(data.type), text(data.description)], ["user", "nightjar:test"]);
  }
  t.deepEqual(
    events.map(({ data }) => [data.keyring, data.operation, data.key]),
    [
      [PROCESS_KEYRING, 0, 0],
      [THREAD_KEYRING, 0, 0],
      [0, KEYCTL_REVOKE, added],
    ],
  );
});
