// Names of a container's own users: read through its process, of its own files, with its own counting of ids.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { UserFiles } from "../users.ts";
import { insideOf, type NamespaceFiles, parseIdMap, readNamespaceFiles } from "./namespace-files.ts";
import {
  NAMESPACES_CHECK_MS,
  NAMESPACES_MAX,
  NamespaceUsers,
  READS_AT_ONCE_MAX,
  READS_WAITING_MAX,
} from "./namespace-users.ts";

const HOME = { mountNamespace: 1, pidNamespace: 2 };
const decoder = new TextDecoder();
const bytes = (text: string) => new TextEncoder().encode(text);

/** A namespace whose passwd and group files name 1000. */
function files(user: string, version = user): NamespaceFiles {
  const names = new Map([[1000, bytes(user)]]);
  return { users: { version, names, ids: [] }, groups: { version, names, ids: [] } };
}

function hostOf(t: ExecutionContext): UserFiles {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "passwd"), "root:x:0:0::/:\nalice:x:1000:1000::/:\n");
  writeFileSync(join(folder, "group"), "root:x:0:\n");
  const host = new UserFiles(join(folder, "passwd"), join(folder, "group"));
  host.refresh(0);
  return host;
}

const named = (users: NamespaceUsers, mountNamespace: number, uid = 1000, pidNamespace = 99) =>
  decoder.decode(users.of(7, { mountNamespace, pidNamespace }).user(uid));

test("each namespace has its own names; the sensor's own, and one that is not known, the host's", async (t) => {
  const users = new NamespaceUsers(hostOf(t), HOME, async (_, number) => files(`user-${number}`));
  t.is(named(users, 1), "alice");
  t.is(named(users, 0), "alice", "the kernel did not say");
  t.is(named(users, 10), "", "not known yet, and the host's would be wrong");
  t.is(named(users, 10, 0), "root");
  t.is(named(users, 11, 1000, HOME.pidNamespace), "alice", "a service with mounts of its own");
  const { generation } = users;
  await Promise.all(["10", "11"].map((key) => users.ask(key, { pid: 7 })));
  t.true(users.generation > generation);
  t.is(named(users, 10), "user-10");
  t.is(named(users, 11), "user-11");
  t.is(named(users, 11, 0), "root", "an image without a line for it");
  t.is(decoder.decode(users.user(1000)), "alice");
});

test("the same file as the host's is followed as the host's", async (t) => {
  const host = hostOf(t);
  const users = new NamespaceUsers(host, HOME, async () => files("x", host.userVersion));
  await users.ask("10", { pid: 7 });
  t.is(users.lookup("10"), host);
});

test("files that change are read again while something happens there, and only then", async (t) => {
  let user = "before";
  const users = new NamespaceUsers(hostOf(t), HOME, async () => files(user));
  await users.ask("10", { pid: 7 });
  t.is(named(users, 10), "before");
  user = "after";
  users.refresh(NAMESPACES_CHECK_MS);
  await waitFor(() => named(users, 10) === "after", { what: "the change is seen" });
  // The last look made it a namespace in which something happened.
  users.refresh(2 * NAMESPACES_CHECK_MS);
  const { reads } = users.counts;
  users.refresh(3 * NAMESPACES_CHECK_MS);
  t.is(users.counts.reads, reads);
});

test("a process that has ended leaves what was known", async (t) => {
  let isThere = true;
  const users = new NamespaceUsers(hostOf(t), HOME, async () => {
    if (!isThere) throw new Error("gone");
    return files("kept");
  });
  await users.ask("10", { pid: 7 });
  t.is(named(users, 10), "kept");
  isThere = false;
  users.refresh(NAMESPACES_CHECK_MS);
  await waitFor(() => users.counts.unread === 1, { what: "it was looked at in vain" });
  t.is(named(users, 10), "kept");
});

test("file systems that do not answer hold up neither the events nor the host's names", async (t) => {
  const users = new NamespaceUsers(hostOf(t), HOME, () => new Promise(() => undefined));
  for (let number = 10; number < 10 + 2 * READS_WAITING_MAX; number++) named(users, number);
  t.is(users.counts.reads, READS_AT_ONCE_MAX);
  t.is(users.counts.refused, READS_WAITING_MAX - READS_AT_ONCE_MAX);
  t.regex(users.health().problems.join(), /do not answer/);
  t.is(named(users, 1), "alice");
});

test("namespaces are bounded", async (t) => {
  const users = new NamespaceUsers(hostOf(t), HOME, async (_, number) => files(`user-${number}`));
  for (let number = 10; number < 10 + NAMESPACES_MAX + 1; number++) await users.ask(String(number), { pid: 7 });
  t.is(users.counts.evicted, 1);
  t.is(users.lookup("10"), undefined);
  t.not(users.lookup("11"), undefined);
});

test("ids are counted as the user namespace counts them", (t) => {
  const ranges = parseIdMap("         0     100000      65536\n     70000          5          1\n");
  t.deepEqual(ranges[1], { inside: 70000, outside: 5, count: 1 });
  t.is(insideOf(100000, ranges), 0);
  t.is(insideOf(165535, ranges), 65535);
  t.is(insideOf(165536, ranges), undefined);
  t.is(insideOf(5, ranges), 70000);
  t.is(insideOf(0, ranges), undefined);
  t.deepEqual(parseIdMap("0 0 4294967295\n"), []);
  t.is(insideOf(1000, []), 1000);
});

test("a process in a root of its own is read through it", async (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/passwd"), "app:x:1000:1000::/:\n");
  const script = `mount --bind ${root}/etc /etc && echo there && exec cat`;
  const child = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", script]);
  t.teardown(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const pid = child.pid as number;
  const mountNamespace = Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/mnt`))?.[0]);
  const found = await readNamespaceFiles(pid, mountNamespace, undefined);
  t.is(decoder.decode(found.users.names.get(1000)), "app");
  t.is(found.groups.version, "", "there is none");
  t.is((await readNamespaceFiles(pid, mountNamespace, found)).users.names, found.users.names, "read once");
  await t.throwsAsync(readNamespaceFiles(pid, mountNamespace + 1, undefined), { message: /is not there/ });
  const own = await readNamespaceFiles(
    process.pid,
    Number(/\d+/.exec(readlinkSync("/proc/self/ns/mnt"))?.[0]),
    undefined,
  );
  t.is(decoder.decode(own.users.names.get(0)), "root");
});
