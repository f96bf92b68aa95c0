// Opens the very file that an event named, by whichever way still leads to it, and reads it without being led astray.
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, readSync, statfsSync } from "node:fs";

/** A file as an event named it: the inode, and the process through which it can be reached. */
export interface NamedFile {
  /** Executed, or mapped by a process that executes another. */
  kind: "program" | "library";
  pid: number;
  /** A character for each byte, as the kernel resolved it. */
  path: string;
  /** As stat(2) has it. */
  device: number;
  inode: bigint;
  changedNs: bigint;
  modifiedNs: bigint;
  /** Of the process, 0 where it is not known. */
  mountNamespace: number;
  /** Of a library: the descriptor it was mapped from, -1 where there is none. */
  fd: number;
}

/** An open file that is the one, as it was when it was opened. */
export interface OpenFile {
  fd: number;
  sizeBytes: number;
  changedNs: bigint;
  modifiedNs: bigint;
  /** Another time of change than the event's: its attributes, or what is in it, changed. */
  isChanged: boolean;
  /** Where the process's paths begin. */
  root: string;
}

export type OpenFailure = "gone" | "changed" | "unreadable";

/** Not in fs.constants: O_PATH of include/uapi/asm-generic/fcntl.h. Nothing is opened but the name. */
const O_PATH = 0o10000000;
/** Of file systems whose files have other devices by stat(2) than their super block: overlayfs and btrfs. */
const OWN_DEVICES: ReadonlySet<number> = new Set([0x794c7630, 0x9123683e]);
const REGULAR = 0o100000n;
const TYPE_MASK = 0o170000n;
const MAPS_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Opens the file for reading. `peer` is another process of the same mount namespace, 0 where none is known; it helps
 * where the process itself is gone.
 */
export function openNamed(file: NamedFile, peer: number): OpenFile | OpenFailure {
  const root = rootOf(file, peer);
  let failure: OpenFailure = "gone";
  for (const { path, isExact } of waysTo(file, root)) {
    const opened = tryOpen(path, file, isExact);
    if (typeof opened !== "string") return { ...opened, root };
    if (failure === "gone") failure = opened;
  }
  return failure;
}

interface Way {
  path: string;
  /** It leads to the inode itself, whatever became of its name: what is in a program that runs cannot be written. */
  isExact: boolean;
}

/** The ways to a file, the surest first. */
function* waysTo(file: NamedFile, root: string): Generator<Way> {
  if (file.kind === "program") yield { path: `/proc/${file.pid}/exe`, isExact: true };
  if (file.path.startsWith("/")) {
    yield { path: `${root}${file.path}`, isExact: false };
    if (root !== "") yield { path: file.path, isExact: false };
  }
  if (file.kind === "program") return;
  if (file.fd >= 0) yield { path: `/proc/${file.pid}/fd/${file.fd}`, isExact: false };
  const range = mappedRange(file);
  if (range) yield { path: `/proc/${file.pid}/map_files/${range}`, isExact: false };
}

function tryOpen(path: string, file: NamedFile, isExact: boolean): Omit<OpenFile, "root"> | OpenFailure {
  let name: number | undefined;
  let fd: number | undefined;
  try {
    // First the name alone: what is no regular file may block or act when it is opened. Paths are bytes.
    name = openSync(Buffer.from(path, "latin1"), O_PATH);
    const stats = fstatSync(name, { bigint: true });
    if ((stats.mode & TYPE_MASK) !== REGULAR || !isSameInode(file, stats, name)) return "gone";
    const { size, ctimeNs: changedNs, mtimeNs: modifiedNs } = stats;
    const isChanged = changedNs !== file.changedNs;
    // After a change of the attributes alone the contents are still those of the event.
    if (isChanged && !isExact && modifiedNs !== file.modifiedNs) return "changed";
    fd = openSync(`/proc/self/fd/${name}`, constants.O_RDONLY | constants.O_NONBLOCK);
    return { fd, sizeBytes: Number(size), changedNs, modifiedNs, isChanged };
  } catch (error) {
    return GONE.has((error as NodeJS.ErrnoException).code ?? "") ? "gone" : "unreadable";
  } finally {
    if (name !== undefined) closeSync(name);
  }
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ESRCH"]);

function isSameInode(file: NamedFile, stats: { dev: bigint; ino: bigint }, fd: number): boolean {
  if (stats.ino !== file.inode) return false;
  return stats.dev === BigInt(file.device) || OWN_DEVICES.has(statfsSync(`/proc/self/fd/${fd}`).type);
}

/** Where the paths of the process's mount namespace begin: "" for our own. */
function rootOf({ pid, mountNamespace }: NamedFile, peer: number): string {
  const wanted = mountNamespace === 0 ? mountNamespaceOf(pid) : mountNamespace;
  if (wanted === 0 || wanted === mountNamespaceOf("self")) return "";
  // The host's root, where the sensor itself is in a container.
  const found = [1, pid, peer].find((one) => one > 0 && mountNamespaceOf(one) === wanted);
  return found === undefined ? "" : `/proc/${found}/root`;
}

/** The inode number of a process's mount namespace, 0 where there is no such process. */
export function mountNamespaceOf(pid: number | "self"): number {
  try {
    return Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/mnt`))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** The addresses at which a process has a file mapped, as /proc/PID/map_files names them; proc(5). */
function mappedRange({ pid, inode }: NamedFile): string | undefined {
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, "latin1").slice(0, MAPS_BYTES_MAX);
    const line = maps.split("\n").find((one) => one.split(/ +/, 5)[4] === String(inode));
    return line
      ?.slice(0, line.indexOf(" "))
      .split("-")
      .map((address) => address.replace(/^0+(?=.)/, ""))
      .join("-");
  } catch {
    return undefined;
  }
}

/** Up to `length` bytes from `offset` on, into `buffer`. */
export function readAt(fd: number, buffer: Buffer, offset: number, length: number): Buffer {
  let read = 0;
  while (read < length) {
    const count = readSync(fd, buffer, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  return buffer.subarray(0, read);
}
