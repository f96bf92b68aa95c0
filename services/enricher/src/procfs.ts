// Processes as /proc shows them, each with an Exec as the kernel's event would have told it.
import {
  type BigIntStats,
  closeSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { create } from "@bufbuild/protobuf";
import { type Descriptor, DescriptorSchema, DescriptorType } from "@nightjar/proto";
import { encodeExec, type KnownExec } from "./exec-writer.ts";
import {
  type ProcfsStatus,
  parseArguments,
  parseCgroup,
  parseNamespace,
  parseStat,
  parseStatus,
  terminalName,
} from "./procfs-parse.ts";
import type { ProcfsProcess } from "./tree.ts";
import { ID_UNKNOWN, type Namespaces } from "./users.ts";

/** Arguments beyond this are left out, and the Exec says so. */
export const ARGUMENTS_BYTES_MAX = 4096;
/** No file of /proc that is read here is larger, apart from arguments. */
const FILE_BYTES_MAX = 64 * 1024;
const STDIO_COUNT = 3;
const DELETED = Buffer.from(" (deleted)");
const MEMFD = Buffer.from("/memfd:");
const NO_BYTES = new Uint8Array(0);
const MODE_TYPE = 0o170000;

const buffer = Buffer.allocUnsafe(FILE_BYTES_MAX);

/**
 * How much is read of a process. "brief" is what a person asks first (executable, arguments, ids) at a third of the
 * time, for a start among thousands of processes; "full" is all that an Exec has.
 */
export type ProcfsDetail = "brief" | "full";

/** All processes that run. Those that end while they are looked at are left out. */
export function* scanProcfs(detail: ProcfsDetail, root = "/proc"): Generator<ProcfsProcess> {
  for (const pid of listPids(root)) {
    const process = readProcess(pid, detail, root);
    if (process) yield process;
  }
}

/** The pids of all processes that run. */
export function listPids(root = "/proc"): number[] {
  return readdirSync(root)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** One process; undefined when there is none of this pid. What cannot be read of it is left out. */
export function readProcess(pid: number, detail: ProcfsDetail, root = "/proc"): ProcfsProcess | undefined {
  const folder = `${root}/${pid}`;
  const stat = parseStat(readFile(`${folder}/stat`));
  const owner = stat && statOf(folder);
  if (stat === undefined || owner === undefined) return undefined;
  const exec: KnownExec = {};
  // The folder belongs to the effective ids, or to root where the process may not be dumped: `status` tells better.
  exec.effectiveUid = owner.uid;
  exec.effectiveGid = owner.gid;
  exec.tty = stat.tty;
  if (stat.tty !== 0) exec.ttyName = Buffer.from(terminalName(stat.tty), "latin1");
  // A process whose group or session leader is in another pid namespace has 0 or -1 there.
  exec.processGroupId = Math.max(stat.processGroupId, 0);
  exec.sessionId = Math.max(stat.sessionId, 0);
  exec.loginUid = stat.isKernelThread ? ID_UNKNOWN : readNumber(`${folder}/loginuid`, ID_UNKNOWN);
  if (!stat.isKernelThread) readImage(folder, exec);
  if (detail === "full") readDetails(folder, exec, stat.isKernelThread);
  return {
    pid,
    parentPid: stat.parentPid,
    startTicks: stat.startTicks,
    name: stat.name,
    uid: exec.effectiveUid ?? owner.uid,
    gid: exec.effectiveGid ?? owner.gid,
    image: encodeExec(exec),
    isBrief: detail === "brief",
  };
}

function readDetails(folder: string, exec: KnownExec, isKernelThread: boolean): void {
  const status = parseStatus(readFile(`${folder}/status`));
  if (status) takeIds(status, exec);
  exec.auditSessionId = readNumber(`${folder}/sessionid`, ID_UNKNOWN);
  exec.cgroup = parseCgroup(readFile(`${folder}/cgroup`));
  readNamespaces(folder, exec);
  if (isKernelThread) return;
  exec.workingDirectory = readLink(`${folder}/cwd`);
  readExecutable(folder, exec);
  exec.stdio = Array.from({ length: STDIO_COUNT }, (_, fd) => readDescriptor(`${folder}/fd/${fd}`));
}

/** The executable's path and what it was called with. */
function readImage(folder: string, exec: KnownExec): void {
  const link = readLink(`${folder}/exe`);
  if (link.length === 0) return;
  exec.fromMemfd = link.subarray(0, MEMFD.length).equals(MEMFD);
  exec.unlinked = link.subarray(-DELETED.length).equals(DELETED);
  exec.executable = exec.unlinked ? link.subarray(0, -DELETED.length) : link;
  const cmdline = readFile(`${folder}/cmdline`);
  const { args, truncated } = parseArguments(cmdline, ARGUMENTS_BYTES_MAX);
  exec.args = args;
  exec.argsSizeBytes = cmdline.length;
  exec.argsTruncated = truncated;
}

/** The executable's inode. */
function readExecutable(folder: string, exec: KnownExec): void {
  const file = exactStatOf(`${folder}/exe`);
  if (file === undefined) return;
  exec.device = Number(file.dev);
  exec.inode = file.ino;
  exec.changedTimeNs = file.ctimeNs;
  exec.modifiedTimeNs = file.mtimeNs;
  exec.ownerUid = Number(file.uid);
  exec.fileMode = Number(file.mode);
}

function takeIds(status: ProcfsStatus, exec: KnownExec): void {
  exec.realUid = status.uids[0] ?? 0;
  exec.effectiveUid = status.uids[1] ?? 0;
  exec.savedUid = status.uids[2] ?? 0;
  exec.realGid = status.gids[0] ?? 0;
  exec.effectiveGid = status.gids[1] ?? 0;
  exec.savedGid = status.gids[2] ?? 0;
  exec.capabilitiesPermitted = status.capabilitiesPermitted;
  exec.capabilitiesEffective = status.capabilitiesEffective;
  exec.capabilitiesInheritable = status.capabilitiesInheritable;
  exec.namespacedPid = status.namespacedPid;
  exec.namespacedProcessGroupId = status.namespacedProcessGroupId;
  exec.namespacedSessionId = status.namespacedSessionId;
}

/** The mount and pid namespace of a process, the sensor itself unless told otherwise; 0 where it cannot be read. */
export function namespacesOf(folder = "/proc/self"): Namespaces {
  const read = (name: string) => parseNamespace(readLink(`${folder}/ns/${name}`));
  return { mountNamespace: read("mnt"), pidNamespace: read("pid") };
}

function readNamespaces(folder: string, exec: KnownExec): void {
  const read = (name: string) => parseNamespace(readLink(`${folder}/ns/${name}`));
  exec.mountNamespace = read("mnt");
  exec.pidNamespace = read("pid");
  exec.networkNamespace = read("net");
  exec.userNamespace = read("user");
  exec.utsNamespace = read("uts");
  exec.ipcNamespace = read("ipc");
  exec.cgroupNamespace = read("cgroup");
}

/** Links of /proc/PID/fd that say what they are by how they begin. */
const LINK_TYPES: readonly (readonly [string, DescriptorType])[] = [
  ["pipe:", DescriptorType.PIPE],
  ["socket:", DescriptorType.SOCKET],
  ["anon_inode:", DescriptorType.OTHER],
  ["/dev/pts/", DescriptorType.TTY],
  ["/dev/tty", DescriptorType.TTY],
  ["/dev/console", DescriptorType.TTY],
  ["/dev/null", DescriptorType.CHARACTER],
];

/** Anything else by the type in its mode, inode(7). */
const MODE_TYPES: ReadonlyMap<number, DescriptorType> = new Map([
  [0o140000, DescriptorType.SOCKET],
  [0o100000, DescriptorType.FILE],
  [0o060000, DescriptorType.BLOCK],
  [0o040000, DescriptorType.DIRECTORY],
  [0o020000, DescriptorType.CHARACTER],
  [0o010000, DescriptorType.PIPE],
]);

function readDescriptor(path: string): Descriptor {
  const link = readLink(path);
  const descriptor = create(DescriptorSchema);
  if (link.length === 0) return descriptor;
  const text = link.toString("latin1");
  const byLink = LINK_TYPES.find(([begin]) => text.startsWith(begin))?.[1];
  descriptor.type = byLink ?? MODE_TYPES.get((statOf(path)?.mode ?? 0) & MODE_TYPE) ?? DescriptorType.OTHER;
  if (text.startsWith("/")) descriptor.name = link.subarray(link.lastIndexOf(0x2f) + 1);
  return descriptor;
}

/** The first FILE_BYTES_MAX of a file, empty when it cannot be read; to be used before the next call. */
function readFile(path: string): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      // What fits in one read of /proc comes in one.
      if (count === 0 || length === buffer.length || length < PAGE_BYTES) break;
    }
    return buffer.subarray(0, length);
  } catch {
    // The process ended, or it is another user's: both are normal.
    return NO_BYTES;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const PAGE_BYTES = 4096;

function readNumber(path: string, otherwise: number): number {
  const text = Buffer.from(readFile(path)).toString("latin1").trim();
  return /^\d+$/.test(text) ? Number(text) : otherwise;
}

function readLink(path: string): Buffer {
  try {
    return readlinkSync(path, { encoding: "buffer" });
  } catch {
    return Buffer.alloc(0);
  }
}

/** To the ns, as the kernel's events have it: a file is known by its times. */
function exactStatOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
