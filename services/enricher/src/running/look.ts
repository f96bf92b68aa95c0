// Looks at processes in /proc, in a thread that may have to wait: what they have mapped, what they listen on.
import { type BigIntStats, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { parseStat } from "../procfs-parse.ts";
import { IPPROTO_TCP, type Listener, parseListeners, SOCKET_TABLES } from "./listeners.ts";
import { type MapsFile, parseMaps } from "./maps.ts";

/** Processes that are looked at in one go: what else waits for the thread waits for some ms at most. */
export const LOOKED_AT_MAX = 16;
/** A process may have so many mappings; what is beyond is not told. */
const MAPS_BYTES_MAX = 16 * 1024 * 1024;
const TABLE_BYTES_MAX = 16 * 1024 * 1024;
/** Descriptors of a process that are looked at. */
const DESCRIPTORS_MAX = 16_384;
/** Files that are remembered, to see whether they are still at their paths. */
const WATCHED_MAX = 16_384;

/** A mapped file as it is now; what could not be read of its inode is 0. */
export interface LookedAtFile {
  path: string;
  /** As stat(2) has them. */
  device: number;
  inode: bigint;
  changedNs: bigint;
  modifiedNs: bigint;
  ownerUid: number;
  mode: number;
  isMemfd: boolean;
  /** What is at its path now. */
  atPath: "same" | "other" | "none";
  /** A process that has it. */
  pid: number;
}

export interface BpfHandle {
  id: number;
  type: number;
}

export interface LookedAt {
  pid: number;
  startTicks: number;
  files: LookedAtFile[];
  listeners: Listener[];
  networkNamespace: number;
  bpfPrograms: BpfHandle[];
  /** What is at the path of the program itself. */
  programAtPath: LookedAtFile["atPath"];
}

/** The thread's work. It remembers which files it saw. */
export class Looker {
  readonly #watched = new Map<string, string>();
  readonly #root: string;

  constructor(root = "/proc") {
    this.#root = root;
  }

  /** Those of the processes that live. */
  look(pids: readonly number[]): LookedAt[] {
    const tables = new Map<string, Map<string, Listener>>();
    return pids.flatMap((pid) => this.#process(pid, tables) ?? []);
  }

  /** Whether files that were mapped when they were last looked at are not at their paths any more. */
  haveChanged(): boolean {
    for (const [path, identity] of this.#watched) {
      if (identityAt(path) === identity) continue;
      // By way of a process that has ended nothing can be told.
      const process = /^\/proc\/\d+/.exec(path)?.[0];
      if (process !== undefined && statOf(process) === undefined) {
        this.#watched.delete(path);
        continue;
      }
      this.#watched.clear();
      return true;
    }
    return false;
  }

  /** The kernel's modules, as /proc/modules tells them; empty where it has none. */
  modules(): string {
    return readText(`${this.#root}/modules`, TABLE_BYTES_MAX);
  }

  #process(pid: number, tables: Map<string, Map<string, Listener>>): LookedAt | undefined {
    const folder = `${this.#root}/${pid}`;
    const stat = parseStat(Buffer.from(readText(`${folder}/stat`, TABLE_BYTES_MAX), "latin1"));
    if (stat === undefined) return undefined;
    const nothing = { listeners: [], networkNamespace: 0, bpfPrograms: [], files: [], programAtPath: "same" } as const;
    const common = { pid, startTicks: stat.startTicks };
    if (stat.isKernelThread) return { ...common, ...nothing, listeners: [], files: [], bpfPrograms: [] };
    const program = linkOf(`${folder}/exe`);
    const files = parseMaps(readText(`${folder}/maps`, MAPS_BYTES_MAX))
      .filter(({ path }) => path !== program.replace(/ \(deleted\)$/, ""))
      .map((file) => this.#file(file, pid, folder));
    const network = linkOf(`${folder}/ns/net`);
    const known = tables.get(network) ?? listenersOf(folder);
    tables.set(network, known);
    const networkNamespace = Number(/\d+/.exec(network)?.[0] ?? 0);
    return {
      ...common,
      files,
      ...descriptorsOf(folder, known),
      networkNamespace,
      programAtPath: atPath(program, folder),
    };
  }

  #file({ path, range, inode, isDeleted, isMemfd }: MapsFile, pid: number, folder: string): LookedAtFile {
    const inRoot = `${folder}/root${path}`;
    const there = statOf(inRoot);
    // The inode itself, whatever became of its name; only who may checkpoint others may follow this link.
    const stats = statOf(`${folder}/map_files/${range}`) ?? (String(there?.ino) === inode ? there : undefined);
    const isHost = there !== undefined && statOf(path)?.ino === there.ino;
    if (!isMemfd && this.#watched.size < WATCHED_MAX) {
      const place = isHost || !there ? path : inRoot;
      this.#watched.set(place, identityAt(place));
    }
    return {
      path,
      device: Number(stats?.dev ?? 0n),
      inode: stats?.ino ?? 0n,
      changedNs: stats?.ctimeNs ?? 0n,
      modifiedNs: stats?.mtimeNs ?? 0n,
      ownerUid: Number(stats?.uid ?? 0n),
      mode: Number(stats?.mode ?? 0n),
      isMemfd,
      atPath: isMemfd || !isDeleted ? "same" : there ? "other" : "none",
      pid,
    };
  }
}

/** What is at the path that a link of /proc says, which marks what is not there any more. */
function atPath(link: string, folder: string): LookedAtFile["atPath"] {
  const mark = " (deleted)";
  if (!link.endsWith(mark) || link.startsWith("/memfd:")) return "same";
  return statOf(`${folder}/root${link.slice(0, -mark.length)}`) ? "other" : "none";
}

/** A datagram socket on a port that the kernel chose is a client's: nobody could know where to send to. */
function isServed({ protocol, port }: Listener, [from = 0, to = 0]: readonly number[]): boolean {
  return protocol === IPPROTO_TCP || port < from || port > to;
}

function listenersOf(folder: string): Map<string, Listener> {
  const found = new Map<string, Listener>();
  for (const table of SOCKET_TABLES)
    parseListeners(readText(`${folder}/net/${table.name}`, TABLE_BYTES_MAX), table, found);
  const chosen = readText("/proc/sys/net/ipv4/ip_local_port_range", TABLE_BYTES_MAX).split("\t").map(Number);
  for (const [inode, listener] of found) if (!isServed(listener, chosen)) found.delete(inode);
  return found;
}

const SOCKET = /^socket:\[(\d+)\]$/;
const BPF_PROGRAM = "anon_inode:bpf-prog";

function descriptorsOf(
  folder: string,
  known: ReadonlyMap<string, Listener>,
): Pick<LookedAt, "listeners" | "bpfPrograms"> {
  const listeners = new Map<string, Listener>();
  const bpfPrograms: BpfHandle[] = [];
  for (const fd of namesIn(`${folder}/fd`).slice(0, DESCRIPTORS_MAX)) {
    const link = linkOf(`${folder}/fd/${fd}`);
    const socket = SOCKET.exec(link)?.[1];
    const listener = socket === undefined ? undefined : known.get(socket);
    if (socket !== undefined && listener) listeners.set(socket, listener);
    if (link !== BPF_PROGRAM) continue;
    const text = readText(`${folder}/fdinfo/${fd}`, TABLE_BYTES_MAX);
    const figure = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? 0);
    bpfPrograms.push({ id: figure("prog_id"), type: figure("prog_type") });
  }
  return { listeners: [...listeners.values()], bpfPrograms };
}

// A process may end at any moment, and its owner may forbid the look: what cannot be read is left out.

function identityAt(path: string): string {
  const stats = statOf(path);
  return stats ? `${stats.dev}:${stats.ino}` : "";
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(Buffer.from(path, "latin1"), { bigint: true });
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path, "latin1");
  } catch {
    return "";
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readText(path: string, bytesMax: number): string {
  try {
    return readFileSync(path, "latin1").slice(0, bytesMax);
  } catch {
    return "";
  }
}
