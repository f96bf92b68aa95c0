// Modes of files, and the flags of the calls that name, link, mount and mark them.
import { flagNames, type Names } from "./table.ts";

// Linux include/uapi/linux/stat.h.
const MODE_BITS: Names = [
  ["S_ISUID", 0o4000],
  ["S_ISGID", 0o2000],
  ["S_ISVTX", 0o1000],
  ["S_IRUSR", 0o400],
  ["S_IWUSR", 0o200],
  ["S_IXUSR", 0o100],
  ["S_IRGRP", 0o40],
  ["S_IWGRP", 0o20],
  ["S_IXGRP", 0o10],
  ["S_IROTH", 0o4],
  ["S_IWOTH", 0o2],
  ["S_IXOTH", 0o1],
];
// include/uapi/linux/fcntl.h. 0x200 is another flag for each call: here that of unlinkat.
const AT_FLAGS: Names = [
  ["AT_SYMLINK_NOFOLLOW", 0x100],
  ["AT_REMOVEDIR", 0x200],
  ["AT_SYMLINK_FOLLOW", 0x400],
  ["AT_NO_AUTOMOUNT", 0x800],
  ["AT_EMPTY_PATH", 0x1000],
];
// include/uapi/linux/fs.h.
const RENAME_FLAGS: Names = [
  ["RENAME_NOREPLACE", 1],
  ["RENAME_EXCHANGE", 2],
  ["RENAME_WHITEOUT", 4],
];
// include/uapi/linux/mount.h.
const MOUNT_FLAGS: Names = [
  ["RDONLY", 1],
  ["NOSUID", 2],
  ["NODEV", 4],
  ["NOEXEC", 8],
  ["SYNCHRONOUS", 16],
  ["REMOUNT", 32],
  ["MANDLOCK", 64],
  ["DIRSYNC", 128],
  ["NOSYMFOLLOW", 256],
  ["NOATIME", 1024],
  ["NODIRATIME", 2048],
  ["BIND", 4096],
  ["MOVE", 8192],
  ["REC", 16384],
  ["SILENT", 32768],
  ["POSIXACL", 0x10000],
  ["UNBINDABLE", 0x20000],
  ["PRIVATE", 0x40000],
  ["SLAVE", 0x80000],
  ["SHARED", 0x100000],
  ["RELATIME", 0x200000],
  ["STRICTATIME", 0x1000000],
  ["LAZYTIME", 0x2000000],
];
const UMOUNT_FLAGS: Names = [
  ["FORCE", 1],
  ["DETACH", 2],
  ["EXPIRE", 4],
  ["NOFOLLOW", 8],
];
// include/uapi/linux/mount.h, of move_mount.
const MOVE_MOUNT_FLAGS: Names = [
  ["MOVE_MOUNT_F_SYMLINKS", 1],
  ["MOVE_MOUNT_F_AUTOMOUNTS", 2],
  ["MOVE_MOUNT_F_EMPTY_PATH", 4],
  ["MOVE_MOUNT_T_SYMLINKS", 0x10],
  ["MOVE_MOUNT_T_AUTOMOUNTS", 0x20],
  ["MOVE_MOUNT_T_EMPTY_PATH", 0x40],
  ["MOVE_MOUNT_SET_GROUP", 0x100],
  ["MOVE_MOUNT_BENEATH", 0x200],
];
// include/uapi/linux/xattr.h.
const XATTR_FLAGS: Names = [
  ["XATTR_CREATE", 1],
  ["XATTR_REPLACE", 2],
];
// include/uapi/linux/memfd.h.
const MEMFD_FLAGS: Names = [
  ["MFD_CLOEXEC", 1],
  ["MFD_ALLOW_SEALING", 2],
  ["MFD_HUGETLB", 4],
  ["MFD_NOEXEC_SEAL", 8],
  ["MFD_EXEC", 16],
];

// The upper bits of a mode say the kind of file, which mknod's callers pass too.
const S_IFMT = 0o170000;
const FILE_TYPES = new Map([
  [0o010000, "S_IFIFO"],
  [0o020000, "S_IFCHR"],
  [0o040000, "S_IFDIR"],
  [0o060000, "S_IFBLK"],
  [0o100000, "S_IFREG"],
  [0o120000, "S_IFLNK"],
  [0o140000, "S_IFSOCK"],
]);
const permissions = flagNames(MODE_BITS);

/** A mode as rules compare it, e.g. "S_IRUSR|S_IXUSR", and behind a bar the kind of file where the number has one. */
export function modeBits(mode: number): string {
  const kind = FILE_TYPES.get(mode & S_IFMT);
  return kind === undefined ? permissions(mode) : `${permissions(mode)}|${kind}`;
}

export const atFlags = flagNames(AT_FLAGS);
export const renameFlags = flagNames(RENAME_FLAGS);
export const mountFlags = flagNames(MOUNT_FLAGS);
export const umountFlags = flagNames(UMOUNT_FLAGS);
export const moveMountFlags = flagNames(MOVE_MOUNT_FLAGS);
export const xattrFlags = flagNames(XATTR_FLAGS);
export const memfdFlags = flagNames(MEMFD_FLAGS);
