// Reads the text of /proc/PID/maps: the files that a process has mapped as programs or libraries. Pure: proc(5).

/** A file of a process's memory. */
export interface MapsFile {
  /** A character for each byte ("latin1"); without the mark that it is deleted. */
  path: string;
  /** As the mapping's device has it, which on overlayfs and btrfs is not what stat(2) says. */
  inode: string;
  /** It has no name any more. */
  isDeleted: boolean;
  /** From memory alone (memfd_create). */
  isMemfd: boolean;
  /** Addresses of one of its mappings, as /proc/PID/map_files names them. */
  range: string;
}

/** address perms offset device inode path; a mapping without a file has no path, or one in brackets. */
const LINE = /^([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ (\d+) +(\/.*)$/;
const DELETED = " (deleted)";
const MEMFD = "/memfd:";
/** Shared memory and devices, which are mapped to be executed by mistake at most, and are no files of programs. */
const NO_FILES = ["/SYSV", "/dev/", "/[aio]", "/anon_hugepage"];
/** Libraries are told by their names, too: those that hold data alone have no part that can be executed. */
const LIBRARY_NAME = /\.so(\.[0-9.]+)?$/;

/** Each file once: what can be executed of it is mapped, or it is called a library. */
export function parseMaps(text: string): MapsFile[] {
  const files = new Map<string, MapsFile>();
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (!match) continue;
    const [, from = "", to = "", permissions = "", inode = "", name = ""] = match;
    const isDeleted = name.endsWith(DELETED);
    const path = withoutEscapes(isDeleted ? name.slice(0, -DELETED.length) : name);
    if (!permissions.includes("x") && !LIBRARY_NAME.test(path)) continue;
    if (NO_FILES.some((start) => path.startsWith(start))) continue;
    const key = `${inode}:${path}`;
    if (files.has(key)) continue;
    const range = [from, to].map((address) => address.replace(/^0+(?=.)/, "")).join("-");
    files.set(key, { path, inode, isDeleted, isMemfd: path.startsWith(MEMFD), range });
  }
  return [...files.values()];
}

/** The kernel writes a line feed in a path as \012 (mangle_path in fs/seq_file.c). */
function withoutEscapes(path: string): string {
  return path.replaceAll("\\012", "\n");
}
