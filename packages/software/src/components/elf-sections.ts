// Where the sections of an ELF file are; elf(5).
import type { ReadAt } from "./component.ts";

/** Where fields lie in headers of 32 and of 64 bits. */
const LAYOUTS = [
  { table: 32, entrySize: 46, offset: 16, size: 20, word: 4 },
  { table: 40, entrySize: 58, offset: 24, size: 32, word: 8 },
] as const;
const HEADER_BYTES = 64;
const BIG_ENDIAN = 2;
const SECTIONS_BYTES_MAX = 1024 * 1024;
const NAMES_BYTES_MAX = 1024 * 1024;

export interface Section {
  offset: number;
  size: number;
}

/** The sections of a file that begins as an ELF file does, by their names; none where it is damaged or has none. */
export function readSections(read: ReadAt): Map<string, Section> {
  const sections = new Map<string, Section>();
  const head = read(0, HEADER_BYTES);
  const layout = LAYOUTS[(head[4] ?? 0) - 1];
  if (!layout || head.length < HEADER_BYTES) return sections;
  const view = viewOf(head);
  const isLittle = head[5] !== BIG_ENDIAN;
  const half = (at: number) => view.getUint16(at, isLittle);
  const [entrySize, count, namesIndex] = [
    half(layout.entrySize),
    half(layout.entrySize + 2),
    half(layout.entrySize + 4),
  ];
  if (entrySize < layout.size + layout.word) return sections;
  const start = wordAt(view, layout.table, layout.word, isLittle);
  const table = viewOf(read(start, Math.min(count * entrySize, SECTIONS_BYTES_MAX)));
  const known = Math.floor(table.byteLength / entrySize);
  const at = (index: number): Section => ({
    offset: wordAt(table, index * entrySize + layout.offset, layout.word, isLittle),
    size: wordAt(table, index * entrySize + layout.size, layout.word, isLittle),
  });
  if (namesIndex >= known) return sections;
  const names = at(namesIndex);
  const text = read(names.offset, Math.min(names.size, NAMES_BYTES_MAX));
  for (let index = 0; index < known; index++) {
    const from = table.getUint32(index * entrySize, isLittle);
    const end = text.indexOf(0, from);
    if (end >= 0) sections.set(text.toString("latin1", from, end), at(index));
  }
  return sections;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function wordAt(view: DataView, at: number, bytes: 4 | 8, isLittle: boolean): number {
  return bytes === 4 ? view.getUint32(at, isLittle) : Number(view.getBigUint64(at, isLittle));
}
