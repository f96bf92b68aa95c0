// Files below a root folder that is not ours, say a container's: no link in it leads out of it, no file is read whole
// without a limit, and nothing in it is opened that could block (a FIFO) or act (a device).
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";

/** As many as the kernel follows for one path (MAXSYMLINKS, include/linux/namei.h). */
const LINKS_MAX = 40;
/** A folder with more entries is read up to here. */
const ENTRIES_MAX = 200_000;
const REGULAR = 0o100000;
const TYPE_MASK = 0o170000;

export class RootFolder {
  readonly #prefix: string;

  /** `root` is a path such as "/" or "/proc/4711/root". */
  constructor(root: string) {
    this.#prefix = root.endsWith("/") ? root.slice(0, -1) : root;
  }

  /** Where an absolute path of that root leads, as a path of ours; undefined where there is nothing. */
  resolve(path: string): string | undefined {
    const rest = path.split("/").reverse();
    const reached: string[] = [];
    let links = 0;
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        reached.pop();
        continue;
      }
      const target = this.#link([...reached, name]);
      if (target === undefined) return undefined;
      if (target === "") {
        reached.push(name);
        continue;
      }
      if (++links > LINKS_MAX) return undefined;
      if (target.startsWith("/")) reached.length = 0;
      rest.push(...target.split("/").reverse());
    }
    return this.#ours(reached);
  }

  /** Where a link leads, "" where it is none, undefined where there is nothing. */
  link(path: string): string | undefined {
    return this.#link(path.split("/").filter((name) => name !== ""));
  }

  /** Tells one version of a file or folder from another; "" where there is none. The same on every mount of it. */
  version(path: string): string {
    const found = this.resolve(path);
    const stats = found && lstatSync(found, { bigint: true, throwIfNoEntry: false });
    return stats ? `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}` : "";
  }

  /** The names in a folder; none where it is not there. */
  names(path: string): string[] {
    const found = this.resolve(path);
    if (!found || !lstatSync(found, { throwIfNoEntry: false })?.isDirectory()) return [];
    return readdirSync(found, "latin1").slice(0, ENTRIES_MAX);
  }

  /**
   * A file's contents; undefined where there is no such file.
   * @throws RangeError where it has more than `bytesMax`, or is no regular file; what node:fs throws else.
   */
  read(path: string, bytesMax: number): Buffer | undefined {
    const found = this.resolve(path);
    if (found === undefined) return undefined;
    const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
    if ((lstatSync(found).mode & TYPE_MASK) !== REGULAR) throw new RangeError(`${path} is no regular file`);
    const fd = openSync(found, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      return readWhole(fd, path, bytesMax);
    } finally {
      closeSync(fd);
    }
  }

  /** The same as text, a character for each byte, so that no byte is lost. */
  readText(path: string, bytesMax: number): string | undefined {
    return this.read(path, bytesMax)?.toString("latin1");
  }

  #link(names: readonly string[]): string | undefined {
    const path = this.#ours(names);
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      return stats.isSymbolicLink() ? readlinkSync(path, "latin1") : "";
    } catch {
      // Something on the way is no folder, or may not be entered: nothing is there for us.
      return undefined;
    }
  }

  #ours(names: readonly string[]): string {
    return `${this.#prefix}/${names.join("/")}`;
  }
}

function readWhole(fd: number, path: string, bytesMax: number): Buffer {
  const { size, mode } = fstatSync(fd);
  if ((mode & TYPE_MASK) !== REGULAR) throw new RangeError(`${path} is no regular file`);
  if (size > bytesMax) throw new RangeError(`${path} has ${size} bytes, at most ${bytesMax} are read`);
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const count = readSync(fd, bytes, length, size - length, length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}
