// Finds the headers in a Berkeley DB of type hash, as rpm had it until 4.16 (src/dbinc/db_page.h of Berkeley DB).

const HASH_MAGIC = 0x061561;
const PAGE_HEADER_BYTES = 26;
/** A header of a page: the next page of what lies on several, how many items, how much of the last one is there. */
const NEXT_AT = 16;
const ENTRIES_AT = 20;
const USED_AT = 22;
const TYPE_AT = 25;
const MAGIC_AT = 12;
const PAGE_BYTES_AT = 20;
const LAST_PAGE_AT = 32;
const META_BYTES = 72;
/** Page types: items of a hash, unsorted as old versions wrote them and sorted; and a part of a large item. */
const HASH_PAGES: ReadonlySet<number> = new Set([2, 13]);
const OVERFLOW_PAGE = 7;
/** Item types: in the page, and on pages of its own. */
const ITEM_HERE = 1;
const ITEM_ELSEWHERE = 3;

/** A database in the byte order of the machine that wrote it. */
interface Pages {
  contents: Buffer;
  pageBytes: number;
  uint16: (at: number) => number;
  uint32: (at: number) => number;
}

/**
 * The headers of all packages.
 * @throws RangeError where it is no such database.
 */
export function* berkeleyHeaders(contents: Buffer): Generator<Uint8Array> {
  const pages = open(contents);
  const last = Math.min(pages.uint32(LAST_PAGE_AT), Math.floor(contents.length / pages.pageBytes) - 1);
  for (let page = 1; page <= last; page++) {
    const start = page * pages.pageBytes;
    if (!HASH_PAGES.has(contents[start + TYPE_AT] as number)) continue;
    // Keys and values by turns; the package with the number 0 holds the next free number.
    for (let entry = 1; entry < pages.uint16(start + ENTRIES_AT); entry += 2) {
      const [key, value] = [itemOf(pages, start, entry - 1), itemOf(pages, start, entry)];
      if (key && value && key.some((byte) => byte !== 0)) yield value;
    }
  }
}

function open(contents: Buffer): Pages {
  const isLittle = contents.length >= META_BYTES && contents.readUInt32LE(MAGIC_AT) === HASH_MAGIC;
  const isBig = contents.length >= META_BYTES && contents.readUInt32BE(MAGIC_AT) === HASH_MAGIC;
  if (!isLittle && !isBig) throw new RangeError("Packages is no Berkeley DB of type hash");
  const uint32 = (at: number) => (isLittle ? contents.readUInt32LE(at) : contents.readUInt32BE(at));
  const uint16 = (at: number) => (isLittle ? contents.readUInt16LE(at) : contents.readUInt16BE(at));
  const pageBytes = uint32(PAGE_BYTES_AT);
  // DB_MIN_PGSIZE and DB_MAX_PGSIZE.
  if (pageBytes < 512 || pageBytes > 65_536) throw new RangeError(`a Berkeley DB with pages of ${pageBytes} bytes`);
  return { contents, pageBytes, uint16, uint32 };
}

/** An item of the page at `start`; undefined where it is of a kind that rpm does not write. */
function itemOf(pages: Pages, start: number, entry: number): Uint8Array | undefined {
  const { contents, pageBytes, uint16, uint32 } = pages;
  const place = (index: number) => uint16(start + PAGE_HEADER_BYTES + 2 * index);
  const at = place(entry);
  // Items are put in from the page's end on.
  const end = entry === 0 ? pageBytes : place(entry - 1);
  if (at < PAGE_HEADER_BYTES || at >= end || end > pageBytes) throw new RangeError("a damaged page of a Berkeley DB");
  const type = contents[start + at];
  if (type === ITEM_HERE) return contents.subarray(start + at + 1, start + end);
  if (type !== ITEM_ELSEWHERE) return undefined;
  return collect(pages, uint32(start + at + 4), uint32(start + at + 8));
}

/** An item of `length` bytes that begins on a page of its own and goes on along the pages' links. */
function collect({ contents, pageBytes, uint16, uint32 }: Pages, first: number, length: number): Uint8Array {
  if (length > contents.length) throw new RangeError("an item larger than its Berkeley DB");
  const parts: Uint8Array[] = [];
  let missing = length;
  for (let page = first; missing > 0; ) {
    const start = page * pageBytes;
    const used = start + pageBytes <= contents.length ? uint16(start + USED_AT) : 0;
    // Each page adds something: links in a circle end when there is as much as was promised.
    if (used === 0 || used > pageBytes - PAGE_HEADER_BYTES || contents[start + TYPE_AT] !== OVERFLOW_PAGE) {
      throw new RangeError("an item of a Berkeley DB goes on where there is nothing");
    }
    const part = contents.subarray(start + PAGE_HEADER_BYTES, start + PAGE_HEADER_BYTES + Math.min(used, missing));
    parts.push(part);
    missing -= part.length;
    page = uint32(start + NEXT_AT);
  }
  return Buffer.concat(parts);
}
