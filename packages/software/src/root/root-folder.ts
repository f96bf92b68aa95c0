// Files below a root folder that is not ours, say a container's: no link in it leads out of it, no file is read whole
// without a limit, and nothing in it is opened that could block (a FIFO) or act (a device). Waits for the file system:
// for threads that may.
import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { type Answer, type Found, NotReadable, type Step, walk } from "./walk.ts";

/** A folder with more entries is read up to here. */
const ENTRIES_MAX = 200_000;
const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = constants;

/** Paths are absolute in the root folder, a character for each byte ("latin1"), so that no byte is lost. */
export class RootFolder {
  readonly #root: string;

  /** `root` is a path such as "/" or "/proc/4711/root". */
  constructor(root: string) {
    this.#root = root;
  }

  /** Where a link leads; undefined where there is none. */
  link(path: string): string | undefined {
    const at = path.lastIndexOf("/");
    return this.#at(path.slice(0, at), ({ fd }) => {
      try {
        return readlinkSync(Buffer.from(`${ofDescriptor(fd)}/${path.slice(at + 1)}`, "latin1"), "latin1");
      } catch {
        return undefined;
      }
    });
  }

  /** Tells one version of a file or folder from another; "" where there is none. The same on every mount of it. */
  version(path: string): string {
    return (
      this.#at(path, ({ fd }) => {
        const { ino, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true });
        return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
      }) ?? ""
    );
  }

  /** The names in a folder; none where it is not there. */
  names(path: string): string[] {
    const names = this.#at(path, ({ fd, stats }) =>
      stats.isDirectory() ? readdirSync(ofDescriptor(fd), "latin1").slice(0, ENTRIES_MAX) : [],
    );
    return names ?? [];
  }

  /**
   * A file's contents; undefined where there is no such file.
   * @throws RangeError where it has more than `bytesMax`, or is no regular file; what node:fs throws else.
   */
  read(path: string, bytesMax: number): Buffer | undefined {
    return this.#at(path, ({ fd, stats }) => {
      const { size } = stats;
      if (!stats.isFile()) throw new RangeError(`${path} is no regular file`);
      if (size > bytesMax) throw new RangeError(`${path} has ${size} bytes, at most ${bytesMax} are read`);
      return readWhole(fd, size);
    });
  }

  /** The same as text, a character for each byte, so that no byte is lost. */
  readText(path: string, bytesMax: number): string | undefined {
    return this.read(path, bytesMax)?.toString("latin1");
  }

  /** What `use` makes of what stands there; undefined where nothing does. */
  #at<Result>(path: string, use: (found: Found) => Result): Result | undefined {
    let found: Found;
    try {
      found = perform(walk(this.#root, path));
    } catch (error) {
      if (error instanceof NotReadable) return undefined;
      throw error;
    }
    try {
      return use(found);
    } finally {
      closeSync(found.fd);
    }
  }
}

function perform(steps: Generator<Step, Found, Answer>): Found {
  let next = steps.next();
  while (!next.done) {
    let answered: Answer;
    try {
      answered = act(next.value);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(answered);
  }
  return next.value;
}

function act(step: Step): Answer {
  if (step.do === "stat") return fstatSync(step.fd);
  if (step.do === "readlink") return readlinkSync(step.path, "latin1");
  return openSync(step.path, step.flags);
}

const ofDescriptor = (fd: number): string => `/proc/self/fd/${fd}`;

/** Reads what `found` looked at, the same inode whatever stands at its name by now. */
function readWhole(found: number, size: number): Buffer {
  const fd = openSync(ofDescriptor(found), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const bytes = Buffer.allocUnsafe(size);
    let length = 0;
    while (length < size) {
      const count = readSync(fd, bytes, length, size - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
