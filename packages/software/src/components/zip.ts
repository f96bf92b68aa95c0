// Reads the list of a ZIP archive and single files in it (APPNOTE.TXT 4.3), without reading the rest of it.
import { inflateRawSync } from "node:zlib";
import type { ReadAt } from "./component.ts";

export const ZIP_MAGIC = 0x504b0304;
const END_MAGIC = 0x06054b50;
const ENTRY_MAGIC = 0x02014b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 0xffff;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** More than any jar has; archives of 4 GiB (ZIP64) are not read. */
const DIRECTORY_BYTES_MAX = 32 * 1024 * 1024;
const STORED = 0;
const DEFLATED = 8;

export interface ZipEntry {
  name: string;
  method: number;
  compressedBytes: number;
  bytes: number;
  /** Of its local header. */
  offset: number;
}

/** The files in an archive; none where its list is damaged or too large. */
export function* zipEntries(read: ReadAt, sizeBytes: number): Generator<ZipEntry> {
  const tailBytes = Math.min(sizeBytes, END_BYTES + COMMENT_BYTES_MAX);
  const tail = read(sizeBytes - tailBytes, tailBytes);
  const end = lastIndexOf(tail, END_MAGIC);
  if (end < 0 || end + END_BYTES > tail.length) return;
  const directoryBytes = tail.readUInt32LE(end + 12);
  if (directoryBytes > DIRECTORY_BYTES_MAX) return;
  const directory = read(tail.readUInt32LE(end + 16), directoryBytes);
  for (let at = 0; at + ENTRY_BYTES <= directory.length && directory.readUInt32LE(at) === ENTRY_MAGIC; ) {
    const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28);
    yield {
      name: directory.toString("utf8", at + ENTRY_BYTES, nameEnd),
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
}

/** A file's contents; undefined where it is damaged, has more than `bytesMax`, or is compressed in another way. */
export function readZipEntry(read: ReadAt, entry: ZipEntry, bytesMax: number): Buffer | undefined {
  const { method, offset, bytes, compressedBytes } = entry;
  if (bytes > bytesMax || compressedBytes > bytesMax || (method !== STORED && method !== DEFLATED)) return undefined;
  const local = read(offset, LOCAL_BYTES);
  if (local.length < LOCAL_BYTES) return undefined;
  const start = offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  // A copy: what `read` gave may be written over by its next call.
  const contents = Buffer.from(read(start, compressedBytes));
  if (method === STORED) return contents;
  try {
    return inflateRawSync(contents, { maxOutputLength: bytesMax });
  } catch {
    return undefined;
  }
}

function lastIndexOf(bytes: Buffer, magic: number): number {
  const wanted = Buffer.alloc(4);
  wanted.writeUInt32LE(magic);
  return bytes.lastIndexOf(wanted);
}
