// What an ELF file's headers say of it: how it is linked, whether it has symbols, its build id. Follows elf(5).

/** As `ElfFile` in executable.proto. */
export interface ElfFacts {
  isStatic: boolean;
  isStripped: boolean;
  isPositionIndependent: boolean;
  interpreter: Uint8Array;
  buildId: Uint8Array;
  type: number;
  machine: number;
  bits: number;
}

/** Gives up to `length` bytes from `offset` on; fewer where the file ends. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** PN_XNUM: what has more headers says so elsewhere, and is no program of anybody's. */
const HEADERS_MAX = 0xffff;
const HEADERS_BYTES_MAX = 1024 * 1024;
/** The kernel's own limit on an interpreter's path (PATH_MAX, fs/binfmt_elf.c). */
const INTERPRETER_BYTES_MAX = 4_096;
const NOTES_BYTES_MAX = 64 * 1024;
/** SHA-256 at most, by what linkers make. */
const BUILD_ID_BYTES_MAX = 64;
const DYNAMIC_BYTES_MAX = 64 * 1024;

const MAGIC = 0x7f454c46;
const ET_EXEC = 2;
const ET_DYN = 3;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PT_NOTE = 4;
const SHT_SYMTAB = 2;
const NT_GNU_BUILD_ID = 3;
const DT_NEEDED = 1;

/** Where fields lie in files of 32 and of 64 bits; sizes of addresses and of headers. */
const LAYOUTS = [
  {
    bits: 32,
    ...{ programs: 28, sections: 32, programSize: 42, programCount: 44, sectionSize: 46, sectionCount: 48 },
    ...{ offset: 4, fileSize: 16, word: 4 as const, header: 52 },
  },
  {
    bits: 64,
    ...{ programs: 32, sections: 40, programSize: 54, programCount: 56, sectionSize: 58, sectionCount: 60 },
    ...{ offset: 8, fileSize: 32, word: 8 as const, header: 64 },
  },
] as const;

interface Segment {
  type: number;
  offset: number;
  size: number;
}

/** Undefined where it is no ELF file. What a damaged one promises and does not have is left out. */
export function readElf(read: ReadAt): ElfFacts | undefined {
  const head = read(0, 64);
  const layout = LAYOUTS[(head[4] ?? 0) - 1];
  if (head.length < 52 || head.readUInt32BE(0) !== MAGIC || !layout || head.length < layout.header) return undefined;
  const view = new Reader(head, head[5] !== 2);
  const [type, machine] = [view.half(16), view.half(18)];
  const segments = segmentsOf(view, layout, read);
  const part = (wanted: number, bytesMax: number) => {
    const segment = segments.find((one) => one.type === wanted);
    return segment && read(segment.offset, Math.min(segment.size, bytesMax));
  };
  const interpreter = part(PT_INTERP, INTERPRETER_BYTES_MAX);
  const dynamic = part(PT_DYNAMIC, DYNAMIC_BYTES_MAX);
  const notes = segments.filter((one) => one.type === PT_NOTE);
  const needs = dynamic !== undefined && hasNeeded(new Reader(dynamic, view.isLittle), layout.word);
  return {
    // A position independent static program has a dynamic section, in which it needs nothing.
    isStatic: (type === ET_EXEC || type === ET_DYN) && interpreter === undefined && !needs,
    isStripped: !hasSymbols(view, layout, read),
    isPositionIndependent: type === ET_DYN,
    interpreter: interpreter ? untilNul(interpreter) : new Uint8Array(0),
    buildId: firstBuildId(notes, read, view.isLittle),
    type,
    machine,
    bits: layout.bits,
  };
}

type Layout = (typeof LAYOUTS)[number];

function segmentsOf(head: Reader, layout: Layout, read: ReadAt): Segment[] {
  const size = head.half(layout.programSize);
  const count = Math.min(head.half(layout.programCount), HEADERS_MAX);
  const bytes = read(head.word(layout.programs, layout.word), Math.min(size * count, HEADERS_BYTES_MAX));
  const table = new Reader(bytes, head.isLittle);
  const segments: Segment[] = [];
  for (let at = 0; size >= layout.fileSize + layout.word && at + size <= bytes.length; at += size) {
    const offset = table.word(at + layout.offset, layout.word);
    segments.push({ type: table.int(at), offset, size: table.word(at + layout.fileSize, layout.word) });
  }
  return segments;
}

function hasSymbols(head: Reader, layout: Layout, read: ReadAt): boolean {
  const size = head.half(layout.sectionSize);
  const count = head.half(layout.sectionCount);
  const bytes = read(head.word(layout.sections, layout.word), Math.min(size * count, HEADERS_BYTES_MAX));
  const table = new Reader(bytes, head.isLittle);
  for (let at = 0; size >= 8 && at + size <= bytes.length; at += size)
    if (table.int(at + 4) === SHT_SYMTAB) return true;
  return false;
}

function hasNeeded(dynamic: Reader, word: 4 | 8): boolean {
  for (let at = 0; at + 2 * word <= dynamic.bytes.length; at += 2 * word) {
    if (dynamic.word(at, word) === DT_NEEDED) return true;
  }
  return false;
}

function firstBuildId(notes: readonly Segment[], read: ReadAt, isLittle: boolean): Uint8Array {
  for (const { offset, size } of notes) {
    const found = buildIdIn(new Reader(read(offset, Math.min(size, NOTES_BYTES_MAX)), isLittle));
    if (found) return found;
  }
  return new Uint8Array(0);
}

/** Notes are name's size, contents' size, type, name, contents; both filled up to four bytes. */
function buildIdIn(notes: Reader): Uint8Array | undefined {
  const { bytes } = notes;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const [nameSize, size, type] = [notes.int(at), notes.int(at + 4), notes.int(at + 8)];
    const start = at + 12 + align(nameSize);
    const isGnu = bytes.toString("latin1", at + 12, at + 12 + nameSize) === "GNU\0";
    if (isGnu && type === NT_GNU_BUILD_ID && size <= BUILD_ID_BYTES_MAX && start + size <= bytes.length) {
      return new Uint8Array(bytes.subarray(start, start + size));
    }
    at = start + align(size);
  }
  return undefined;
}

const align = (size: number): number => Math.ceil(size / 4) * 4;

function untilNul(bytes: Buffer): Uint8Array {
  const end = bytes.indexOf(0);
  return new Uint8Array(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Numbers in the file's own byte order. */
class Reader {
  readonly bytes: Buffer;
  readonly isLittle: boolean;

  constructor(bytes: Buffer, isLittle: boolean) {
    this.bytes = bytes;
    this.isLittle = isLittle;
  }

  half(at: number): number {
    return this.isLittle ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  int(at: number): number {
    return this.isLittle ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  word(at: number, size: 4 | 8): number {
    if (size === 4) return this.int(at);
    return Number(this.isLittle ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at));
  }
}
