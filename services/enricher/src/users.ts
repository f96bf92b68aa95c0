// Names of users and groups, from the host's passwd and group files, read again when these change.
import { type BigIntStats, readFileSync, statSync } from "node:fs";

/** A file larger than this is not read: it has no place in the memory of a sensor. */
export const USER_FILE_BYTES_MAX = 8 * 1024 * 1024;
/** The files are looked at for a change at most this often. */
export const USER_FILES_CHECK_MS = 1_000;
/** An id that is not known, and the login uid of a daemon: the kernel's (uid_t)-1. */
export const ID_UNKNOWN = 0xffff_ffff;

/** Names as UTF-8, empty where there is none. `generation` grows with each change: what was made before it is old. */
export interface UserNames {
  readonly generation: number;
  user(uid: number): Uint8Array;
  group(gid: number): Uint8Array;
  /** The names that hold for a process, which may be in a container. */
  of(pid: number, namespaces: Namespaces | undefined): UserNames;
}

/** What an Exec says of where a process is; 0 where it is not known. */
export interface Namespaces {
  mountNamespace: number;
  pidNamespace: number;
}

const NO_NAME = new Uint8Array(0);

/** The names of one pair of files. */
export class UserFiles implements UserNames {
  generation = 0;
  readonly #files: readonly [IdFile, IdFile];
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(passwdPath = "/etc/passwd", groupPath = "/etc/group") {
    this.#files = [new IdFile(passwdPath), new IdFile(groupPath)];
  }

  /** Reads the files again if they changed; `now` is a time in ms that only grows. Call it between batches. */
  refresh(now: number): void {
    if (now - this.#checkedAt < USER_FILES_CHECK_MS) return;
    this.#checkedAt = now;
    // Both are asked: a new user is a line in each.
    if (this.#files.map((file) => file.refresh()).includes(true)) this.generation++;
  }

  /** What cannot be read, for a health issue; empty when all is well. */
  get problems(): string[] {
    return this.#files.flatMap((file) => (file.problem === "" ? [] : [file.problem]));
  }

  /** Tells this state of the passwd file from others. */
  get userVersion(): string {
    return this.#files[0].version;
  }

  of(): UserNames {
    return this;
  }

  user(uid: number): Uint8Array {
    return this.#files[0].names.get(uid) ?? NO_NAME;
  }

  group(gid: number): Uint8Array {
    return this.#files[1].names.get(gid) ?? NO_NAME;
  }
}

class IdFile {
  names = new Map<number, Uint8Array>();
  problem = "";
  version = "";
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads the file if it is another than before; true if it was read. When it cannot be, the old names stay. */
  refresh(): boolean {
    try {
      const stats = statSync(this.#path, { bigint: true });
      const { size } = stats;
      const version = versionOf(stats);
      if (version === this.version) return false;
      if (size > BigInt(USER_FILE_BYTES_MAX))
        throw new RangeError(`${size} bytes, at most ${USER_FILE_BYTES_MAX} are read`);
      this.names = parseIds(readFileSync(this.#path, "utf8"));
      this.version = version;
      this.problem = "";
      return true;
    } catch (error) {
      this.problem = `${this.#path}: ${error instanceof Error ? error.message : error}`;
      return false;
    }
  }
}

/** The same file in the same state, on whichever mount it is looked at. */
export function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

/**
 * "name:password:id:…" line by line; of several lines with one id the first names it, as for getpwuid(3). At most
 * `namesMax` of them.
 */
export function parseIds(text: string, namesMax = Number.POSITIVE_INFINITY): Map<number, Uint8Array> {
  const names = new Map<number, Uint8Array>();
  for (const line of text.split("\n")) {
    if (names.size >= namesMax) break;
    const [name, , id] = line.split(":", 3);
    if (name === undefined || name === "" || id === undefined || !/^\d{1,10}$/.test(id)) continue;
    if (!names.has(Number(id))) names.set(Number(id), new TextEncoder().encode(name));
  }
  return names;
}
