// O_* flags of an open, and what they allow.
import { flagNames, type Names, type Write } from "./table.ts";

// Linux include/uapi/asm-generic/fcntl.h; x86_64 and arm64 share all but O_DIRECTORY, O_NOFOLLOW and O_DIRECT, which
// rules do not know and are left out here. O_TMPFILE and O_SYNC are flags of several bits.
const OPEN_FLAGS: Names = [
  ["O_CREAT", 0o100],
  ["O_EXCL", 0o200],
  ["O_TRUNC", 0o1000],
  ["O_APPEND", 0o2000],
  ["O_NONBLOCK", 0o4000],
  ["O_DSYNC", 0o10000],
  ["O_CLOEXEC", 0o2000000],
  ["O_PATH", 0o10000000],
  ["O_TMPFILE", 0o20000000],
];
const O_ACCMODE = 0o3;
const O_PATH = 0o10000000;
const ACCESS_MODES = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"];

const others = flagNames(OPEN_FLAGS, "");

/** The flags of an open as Falco prints them, e.g. "O_WRONLY|O_CREAT". */
export const openFlags: Write = (flags) => {
  const mode = ACCESS_MODES[flags & O_ACCMODE] as string;
  const rest = others(flags);
  return rest === "" ? mode : `${mode}|${rest}`;
};

/** Flags of a call that makes a descriptor but opens nothing (dup3, pipe2, accept4): no access mode. */
export const descriptorFlags: Write = flagNames(OPEN_FLAGS);

/** Whether a file opened with these flags may be read; an O_PATH descriptor may not. */
export function opensForReading(flags: number): boolean {
  return (flags & O_ACCMODE) !== 1 && (flags & O_PATH) === 0;
}

export function opensForWriting(flags: number): boolean {
  return (flags & O_ACCMODE) !== 0 && (flags & O_PATH) === 0;
}
