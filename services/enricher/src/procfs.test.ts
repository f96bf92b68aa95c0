// /proc of this machine: every process found, this one exactly as it is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { DescriptorType, type Exec, ExecSchema, ProcessOrigin } from "@nightjar/proto";
import test from "ava";
import { listPids, readProcess, scanProcfs } from "./procfs.ts";
import { PROCFS_READS_BURST, PROCFS_READS_PER_SECOND, ProcfsBudget } from "./procfs-budget.ts";
import { parseArguments, parseCgroup, parseStat, parseStatus, terminalName } from "./procfs-parse.ts";
import { ProcessTree, type ProcfsProcess } from "./tree.ts";

const string = (bytes: Uint8Array) => Buffer.from(bytes).toString();

function execOf(process: ProcfsProcess | undefined): Exec {
  if (!process) throw new Error("no such process");
  return fromBinary(ExecSchema, process.image);
}

test("finds every process that was there before and after", (t) => {
  const before = new Set(listPids());
  const found = new Map([...scanProcfs("brief")].map((process) => [process.pid, process]));
  const after = new Set(listPids());
  for (const pid of before) if (after.has(pid)) t.true(found.has(pid), `process ${pid}`);
  t.is(execOf(found.get(process.pid)).args.map(string)[0], string(Buffer.from(process.argv0)));
});

test("tells of this process what it knows of itself", (t) => {
  const found = readProcess(process.pid, "full");
  const exec = execOf(found);
  const exe = statSync(process.execPath);
  t.is(found?.parentPid, process.ppid);
  t.is(found?.uid, process.geteuid?.() ?? -1);
  t.is(string(exec.executable), readlinkSync("/proc/self/exe"));
  t.is(exec.args.map(string).join("\0"), readFileSync("/proc/self/cmdline", "utf8").slice(0, 4096).replace(/\0$/, ""));
  t.is(string(exec.workingDirectory), process.cwd());
  t.is(exec.effectiveUid, process.geteuid?.() ?? -1);
  t.is(exec.realGid, process.getgid?.() ?? -1);
  t.is(exec.inode, BigInt(exe.ino));
  t.is(exec.fileMode, exe.mode);
  t.is(`mnt:[${exec.mountNamespace}]`, readlinkSync("/proc/self/ns/mnt"));
  t.is(`cgroup:[${exec.cgroupNamespace}]`, readlinkSync("/proc/self/ns/cgroup"));
  t.regex(string(exec.cgroup), /^\//);
  t.false(exec.unlinked);
  t.is(exec.stdio.length, 3);
  const [, , , , group, session] = readFileSync("/proc/self/stat", "utf8").split(" ").map(Number);
  t.like(exec, { processGroupId: group, namespacedProcessGroupId: group, namespacedSessionId: session });
});

test("knows a pipe, a device and a file on descriptors 0 to 2", async (t) => {
  const child = spawn("sleep", ["60"], { stdio: ["pipe", "ignore", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  const { stdio } = execOf(readProcess(child.pid ?? 0, "full"));
  // Node's pipes are sockets.
  t.deepEqual(
    stdio.map(({ type }) => type),
    [DescriptorType.SOCKET, DescriptorType.CHARACTER, DescriptorType.SOCKET],
  );
  t.is(string(stdio[1]?.name ?? new Uint8Array()), "null");
});

test("a tree from /proc leads from this process to its ancestors", (t) => {
  const tree = new ProcessTree();
  tree.load(scanProcfs("brief"));
  let node = [...tree].find(({ pid }) => pid === process.pid);
  t.is(node?.origin, ProcessOrigin.PROCFS);
  for (let pid = process.pid; node; node = node.parent) {
    t.is(node.pid, pid);
    pid = readProcess(pid, "brief")?.parentPid ?? 0;
    if (!node.parent) t.is(pid, 0);
  }
});

test("a process that is not there is not there", (t) => {
  t.is(readProcess(0x7fff_fff0, "full"), undefined);
});

test("a name with parentheses, spaces and a line break is read whole", (t) => {
  const rest = "S 7 42 43 34817 42 4194560 0 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";
  const stat = parseStat(Buffer.from(`42 (a) b\n(c)) ${rest}`));
  t.is(string(stat?.name ?? new Uint8Array()), "a) b\n(c)");
  t.like(stat, { parentPid: 7, processGroupId: 42, sessionId: 43, tty: (136 << 8) | 1, startTicks: 987654 });
  t.false(stat?.isKernelThread);
  t.is(parseStat(Buffer.from("")), undefined);
});

test("a terminal has the kernel's name for it", (t) => {
  const names: [major: number, minor: number, name: string][] = [
    [136, 0, "pts0"],
    [137, 44, "pts300"],
    [4, 1, "tty1"],
    [4, 64, "ttyS0"],
    [229, 0, "hvc0"],
    [0, 0, ""],
    [250, 3, ""],
  ];
  for (const [major, minor, name] of names) t.is(terminalName((major << 8) | minor), name);
});

test("ids and capabilities of status", (t) => {
  const lines = [
    "Name:\tx",
    "Uid:\t1\t2\t3\t4",
    "Gid:\t5\t6\t7\t8",
    "NSpid:\t900\t12",
    "NSpgid:\t800\t11",
    "NSsid:\t700\t10",
    "CapInh:\t0",
    "CapPrm:\t000001ffffffffff",
  ];
  const status = parseStatus(Buffer.from(`${lines.join("\n")}\nCapEff:\t21\n`));
  t.deepEqual(status, {
    uids: [1, 2, 3, 4],
    gids: [5, 6, 7, 8],
    namespacedPid: 12,
    namespacedProcessGroupId: 11,
    namespacedSessionId: 10,
    capabilitiesInheritable: 0n,
    capabilitiesPermitted: 0x1ff_ffff_ffffn,
    capabilitiesEffective: 0x21n,
  });
  t.is(parseStatus(Buffer.from("Name:\tx\n")), undefined);
});

const cgroups: [string, string, string][] = [
  ["v2 alone", "0::/user.slice/a\n", "/user.slice/a"],
  ["v1 where v2 is at the root", "12:memory:/\n3:cpu,cpuacct:/docker/ab\n0::/\n", "/docker/ab"],
  ["v2 before v1", "3:cpu:/one\n0::/two\n", "/two"],
  ["the root of all", "0::/\n", "/"],
  ["a colon in the path", "0::/a:b/c\n", "/a:b/c"],
];
for (const [title, lines, expected] of cgroups) {
  test(`cgroup: ${title}`, (t) => t.is(string(parseCgroup(Buffer.from(lines))), expected));
}

test("arguments keep empty ones, and are cut at the limit", (t) => {
  t.deepEqual(parseArguments(Buffer.from("a\0\0b\0"), 100).args.map(string), ["a", "", "b"]);
  t.deepEqual(parseArguments(Buffer.from("ab\0cdef"), 5), {
    args: [text("ab"), text("cd")],
    truncated: true,
  });
  t.deepEqual(parseArguments(Buffer.alloc(0), 100), { args: [], truncated: false });
});

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

test("looking into /proc has a budget that fills again", (t) => {
  let now = 0;
  const budget = new ProcfsBudget(
    () => undefined,
    () => now,
  );
  for (let read = 0; read < PROCFS_READS_BURST + 10; read++) budget.lookup(1);
  t.is(budget.reads, PROCFS_READS_BURST);
  t.is(budget.refused, 10);
  now += 1_000;
  for (let read = 0; read < PROCFS_READS_PER_SECOND + 5; read++) budget.lookup(1);
  t.is(budget.reads, PROCFS_READS_BURST + PROCFS_READS_PER_SECOND);
});
