// Protection and kinds of memory mappings.
import { flagNames, type Names } from "./table.ts";

// Linux include/uapi/asm-generic/mman-common.h.
const PROTECTION: Names = [
  ["PROT_READ", 1],
  ["PROT_WRITE", 2],
  ["PROT_EXEC", 4],
  ["PROT_SEM", 8],
  ["PROT_GROWSDOWN", 0x1000000],
  ["PROT_GROWSUP", 0x2000000],
];
// The same, and include/uapi/asm-generic/mman.h.
const MAP_FLAGS: Names = [
  ["MAP_SHARED", 1],
  ["MAP_PRIVATE", 2],
  ["MAP_FIXED", 0x10],
  ["MAP_ANONYMOUS", 0x20],
  ["MAP_GROWSDOWN", 0x100],
  ["MAP_DENYWRITE", 0x800],
  ["MAP_EXECUTABLE", 0x1000],
  ["MAP_LOCKED", 0x2000],
  ["MAP_NORESERVE", 0x4000],
  ["MAP_POPULATE", 0x8000],
  ["MAP_NONBLOCK", 0x10000],
  ["MAP_STACK", 0x20000],
  ["MAP_HUGETLB", 0x40000],
  ["MAP_FIXED_NOREPLACE", 0x100000],
];

export const protection = flagNames(PROTECTION, "PROT_NONE");
export const mapFlags = flagNames(MAP_FLAGS);
