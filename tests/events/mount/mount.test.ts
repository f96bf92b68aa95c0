// File systems are mounted by the old and the new calls, in a mount namespace of its own; what and where is read back.
import { join } from "node:path";
import { DescriptorType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { call, texts } from "../support/call.ts";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, notHere, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["mount", "exit"] as const;

const KEYS = ["absolute", "requested", "source", "filesystem"] as const;
const AT_FDCWD = -100;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_REMOUNT = 32;
const MS_PRIVATE = 1 << 18;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_NOEXEC = 8;
const EPERM = 1n;
const ENOENT = 2n;
const ENOSYS = 38n;

kernelTest("mount gives source, directory, file system and flags, and the error", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const cwd = temporaryFolder(t);
  const nobody = { cwd: "/", uid: 65534, gid: 65534 };
  const args = ["mount", "none", "tmp", "tmpfs", MS_NODEV | MS_NOSUID, "size=1m"] as const;
  const { data, result } = await call(t, watch, "mount", args, nobody);
  t.is(result, -EPERM);
  t.deepEqual(texts(data, KEYS), { absolute: "/tmp", requested: "tmp", source: "none", filesystem: "tmpfs" });
  t.like(data, { flags: BigInt(MS_NODEV | MS_NOSUID), fd: -1 });
  const missing = await call(t, watch, "mount", ["mount", null, "missing", null, MS_REMOUNT, null], { cwd });
  t.is(missing.result, -ENOENT);
  t.deepEqual(texts(missing.data, KEYS), {
    absolute: join(cwd, "missing"),
    requested: "missing",
    source: "",
    filesystem: "",
  });
});

kernelTest("the new calls: a mount is copied, and moved", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const cwd = temporaryFolder(t);
  const copied = await call(t, watch, "mount", ["open_tree", AT_FDCWD, cwd, OPEN_TREE_CLONE]);
  t.true(copied.result > 2n, "a descriptor");
  t.is(text(copied.data.absolute), cwd);
  t.is(copied.data.fd, Number(copied.result));
  t.is(copied.data.descriptor?.type, DescriptorType.DIRECTORY);
  t.not(text(copied.data.filesystem), "");
  const to = ["move_mount", { open: cwd }, "", AT_FDCWD, "missing", MOVE_MOUNT_F_EMPTY_PATH] as const;
  const moved = await call(t, watch, "mount", to, { cwd });
  t.true(moved.result < 0n);
  t.deepEqual([text(moved.data.absolute), moved.data.flags], [join(cwd, "missing"), 4n]);
  t.is(text(moved.data.descriptor?.path ?? new Uint8Array()), cwd);
  const refused = await call(t, watch, "mount", ["fsmount", 99, 0, MOUNT_ATTR_NOEXEC]);
  t.true(refused.result < 0n);
  t.is(refused.data.attributesSet, BigInt(MOUNT_ATTR_NOEXEC));
});

kernelTest("mount_setattr gives what it sets and clears", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const cwd = temporaryFolder(t);
  const attributes = [MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOEXEC, MS_PRIVATE, 0] as const;
  const changed = await call(t, watch, "mount", ["mount_setattr", AT_FDCWD, "missing", 0, attributes, 32], { cwd });
  if (changed.result === -ENOSYS) return notHere(t, "mount_setattr came with 5.12");
  t.is(changed.result, -ENOENT);
  t.is(text(changed.data.absolute), join(cwd, "missing"));
  t.like(changed.data, {
    attributesSet: BigInt(MOUNT_ATTR_RDONLY),
    attributesCleared: BigInt(MOUNT_ATTR_NOEXEC),
    propagation: BigInt(MS_PRIVATE),
  });
});

kernelTest("a tree that is opened and not copied is no mount", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { pid, stdout } = compileDeed(t, join(import.meta.dirname, "../support")).do([
    "open_tree",
    `i:${AT_FDCWD}`,
    "s:/",
    "i:0",
  ]);
  await watch.ended(pid);
  t.true(Number(stdout) > 2);
  t.deepEqual(
    watch.of("mount", (event) => event.pid === pid),
    [],
  );
  await watch.probe.stop();
  t.true(balances(watch.ledger("mount")) && watch.ledger("mount").filtered >= 1n);
});
