// Reads the passwd and group files of a process's own root, and how its user namespace counts ids.
import type { BigIntStats } from "node:fs";
import { type FileHandle, readFile, readlink } from "node:fs/promises";
import { NotReadable, openInRoot } from "@nightjar/software";
import { parseIds, versionOf } from "../users.ts";

/** A larger file is not read: who furnishes a container could make the sensor work without end. */
export const NAMESPACE_FILE_BYTES_MAX = 1024 * 1024;
/** Names of a file beyond these are left out. */
export const NAMES_PER_FILE_MAX = 10_000;

/** A range of ids in a user namespace, and where it lies in the initial one (user_namespaces(7)). */
export interface IdRange {
  inside: number;
  outside: number;
  count: number;
}

/** One of the two files. */
export interface IdNames {
  /** Tells this state of the file from others; empty where there is none that can be read. */
  version: string;
  names: ReadonlyMap<number, Uint8Array>;
  ids: readonly IdRange[];
}

export interface NamespaceFiles {
  users: IdNames;
  groups: IdNames;
}

/** Reads what a process's mount namespace has; what did not change since `before` is taken from there. */
export type ReadNamespace = (
  pid: number,
  mountNamespace: number,
  before: NamespaceFiles | undefined,
) => Promise<NamespaceFiles>;

/** @throws NotReadable where the process has ended, or is in another mount namespace by now. */
export const readNamespaceFiles: ReadNamespace = async (pid, mountNamespace, before) => {
  const folder = `/proc/${pid}`;
  const [users, groups] = [
    await readNames(folder, "/etc/passwd", "uid_map", before?.users),
    await readNames(folder, "/etc/group", "gid_map", before?.groups),
  ];
  // Asked last: had the pid become another's meanwhile, it would show here.
  const link = await readlink(`${folder}/ns/mnt`).catch(() => "");
  if (link !== `mnt:[${mountNamespace}]`) throw new NotReadable(`process ${pid} is not there`);
  return { users, groups };
};

async function readNames(folder: string, path: string, idMap: string, before: IdNames | undefined): Promise<IdNames> {
  const ids = parseIdMap(await readFile(`${folder}/${idMap}`, "latin1").catch(() => ""));
  try {
    await using file = await openInRoot(`${folder}/root`, path);
    const stats = await file.stat({ bigint: true });
    const version = versionOf(stats);
    const names = version === before?.version ? before.names : await parseFile(file, stats, path);
    return { version, names, ids };
  } catch (error) {
    if (!(error instanceof NotReadable)) throw error;
    return { version: "", names: new Map(), ids };
  }
}

async function parseFile(file: FileHandle, { size }: BigIntStats, path: string): Promise<Map<number, Uint8Array>> {
  if (size > NAMESPACE_FILE_BYTES_MAX) throw new NotReadable(`${path}: ${size} bytes`);
  // Not `readFile`, which goes on reading a file that grows.
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Number(size)), 0, Number(size), 0);
  return parseIds(buffer.toString("utf8", 0, bytesRead), NAMES_PER_FILE_MAX);
}

/** Lines of three numbers, of /proc/PID/uid_map; none where ids are counted as in the initial namespace. */
export function parseIdMap(text: string): IdRange[] {
  const ranges = text
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((numbers) => numbers.length === 3 && numbers.every(Number.isSafeInteger))
    .map(([inside = 0, outside = 0, count = 0]) => ({ inside, outside, count }));
  return ranges.every(({ inside, outside }) => inside === outside) ? [] : ranges;
}

/** An id of the initial namespace as the other one counts it; undefined where it has none. */
export function insideOf(id: number, ranges: readonly IdRange[]): number | undefined {
  if (ranges.length === 0) return id;
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range && range.inside + id - range.outside;
}
