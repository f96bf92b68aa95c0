// Finds the headers in Packages.db, rpm's own format, which SUSE uses (lib/backend/ndb/rpmpkg.c). Little-endian.

const MAGIC = 0x506d7052; // "RpmP"
const SLOT_MAGIC = 0x746f6c53; // "Slot"
const BLOB_MAGIC = 0x53626c42; // "BlbS"
const PAGE_BYTES = 4_096;
const FILE_HEADER_BYTES = 32;
const SLOT_PAGES_AT = 12;
const SLOT_BYTES = 16;
/** Blobs lie at multiples of this. */
const BLOCK_BYTES = 16;
const BLOB_HEADER_BYTES = 16;

/**
 * The headers of all packages.
 * @throws RangeError where it is no such database.
 */
export function* ndbHeaders(contents: Buffer): Generator<Uint8Array> {
  if (contents.length < FILE_HEADER_BYTES || contents.readUInt32LE(0) !== MAGIC) {
    throw new RangeError("Packages.db is no database of rpm");
  }
  const slotsEnd = Math.min(contents.readUInt32LE(SLOT_PAGES_AT) * PAGE_BYTES, contents.length);
  for (let slot = FILE_HEADER_BYTES; slot + SLOT_BYTES <= slotsEnd; slot += SLOT_BYTES) {
    const index = contents.readUInt32LE(slot + 4);
    if (contents.readUInt32LE(slot) !== SLOT_MAGIC || index === 0) continue;
    const blob = contents.readUInt32LE(slot + 8) * BLOCK_BYTES;
    if (blob + BLOB_HEADER_BYTES > contents.length || contents.readUInt32LE(blob) !== BLOB_MAGIC) {
      throw new RangeError("Packages.db points to a package that is not there");
    }
    const start = blob + BLOB_HEADER_BYTES;
    yield contents.subarray(start, start + contents.readUInt32LE(blob + 12));
  }
}
