// Reads small files that a runtime writes and takes away again.
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** A state or a specification is some 10 KB, a list of a thousand containers 1 MB. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const NO_FILE = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP", "ENXIO"]);

/** Whether a name is one entry of a folder and no way out of it. */
export function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

/**
 * The text of a file; undefined where there is none, or what is there is no plain file, or larger than such files are.
 * Synchronous, since the file of a short-lived container may be gone a few thread switches later; what is read is in
 * memory, as /run is, or was written a moment ago.
 *
 * @throws the system's error where the file is there and cannot be read.
 */
export function readSmall(file: string): string | undefined {
  let fd: number;
  try {
    // A pipe of that name must not hold anybody up.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (NO_FILE.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= FILE_BYTES_MAX ? readFileSync(fd, "utf8") : undefined;
  } finally {
    closeSync(fd);
  }
}
