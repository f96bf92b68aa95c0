// Files are mapped to be executed; each is told once, until it changes.
import { appendFileSync, copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["library", "exit"] as const;

const PROT_READ_EXEC = 5;
const MAP_PRIVATE = 2;
const PIECE_BYTES = 4096n;
const EBADF = 9n;

kernelTest("a file mapped to be executed is told once, and again when it was changed", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "library.so");
  copyFileSync("/bin/true", path);
  const deed = compileDeed(t, import.meta.dirname);
  const mapped = async (how: string, times: number) => {
    const done = deed.do([path, how, String(times)]);
    t.is(done.stdout, "0");
    await watch.ended(done.pid);
    return watch.of("library", (event) => event.pid === done.pid && text(event.data.path) === path);
  };
  t.deepEqual(await mapped("read", 1), [], "what is only read is no library");
  const [first, ...more] = await mapped("exec", 3);
  t.deepEqual(more, []);
  const { ino, dev, mode, uid, ctimeNs, mtimeNs } = statSync(path, { bigint: true });
  t.like(first, { call: Call.MMAP });
  t.true((first?.result ?? 0n) > 0n, "an address");
  t.like(first?.data, {
    inode: ino,
    device: Number(dev),
    fileMode: Number(mode),
    ownerUid: Number(uid),
    changedTimeNs: ctimeNs,
    modifiedTimeNs: mtimeNs,
    protection: PROT_READ_EXEC,
    flags: MAP_PRIVATE,
    sizeBytes: PIECE_BYTES,
    offsetBytes: PIECE_BYTES,
    fromMemfd: false,
    upperLayer: false,
    unlinked: false,
    pathTruncated: false,
  });
  t.true((first?.data.fd ?? 0) > 2);
  t.deepEqual(await mapped("exec", 2), [], "another process of the same cgroup");
  appendFileSync(path, "x");
  t.is((await mapped("exec", 2)).length, 1, "it is another file now");
  await watch.probe.stop();
  const ledger = watch.ledger("library");
  t.true(balances(ledger) && ledger.folded >= 5n, watch.explain());
});

kernelTest("a mapping that fails is told each time", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do([join(temporaryFolder(t), "missing"), "exec", "1"]);
  await watch.ended(done.pid);
  const failed = watch.of("library", (event) => event.pid === done.pid && event.result < 0n);
  t.deepEqual(
    failed.map(({ result, data }) => [result, data.fd, text(data.path)]),
    [[-EBADF, -1, ""]],
  );
});
