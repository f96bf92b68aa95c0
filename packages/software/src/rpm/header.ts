// Reads a package's header as rpm keeps it in its database (docs/manual/format_header.md of rpm, without the magic).
import type { Package } from "../database.ts";

/** HEADER_TAGS_MAX and HEADER_DATA_MAX of rpm's lib/header.c. */
const ENTRIES_MAX = 0xffff;
const DATA_BYTES_MAX = 0x0fff_ffff;
const PREFIX_BYTES = 8;
const ENTRY_BYTES = 16;

/** Tags, include/rpm/rpmtag.h. */
const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  architecture: 1022,
  sourceRpm: 1044,
  oldFileNames: 1027,
  fileStates: 1029,
  folderIndexes: 1116,
  baseNames: 1117,
  folderNames: 1118,
} as const;

/** Of rpmfileState: the file is there as the package has it; a ghost, whose state is that too, may be. */
const STATE_NORMAL = 0;

export interface Header {
  package: Package;
  baseNames: readonly string[];
  folderNames: readonly string[];
  /** Of each file, its folder's place in `folderNames`. */
  folderIndexes: readonly number[];
  /** Of each file, by older versions of rpm: its whole path. */
  oldNames: readonly string[];
  /** A byte a file; shorter where it is not known. */
  states: Uint8Array;
}

/** @throws RangeError where the bytes are no header. */
export function readHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = bytes.length < PREFIX_BYTES ? 0 : view.getUint32(0);
  const dataBytes = bytes.length < PREFIX_BYTES ? 0 : view.getUint32(4);
  const dataStart = PREFIX_BYTES + entries * ENTRY_BYTES;
  if (entries === 0 || entries > ENTRIES_MAX || dataBytes > DATA_BYTES_MAX || dataStart + dataBytes > bytes.length) {
    throw new RangeError("a package's header is damaged");
  }
  const places = new Map<number, readonly [start: number, count: number]>();
  for (let at = PREFIX_BYTES; at < dataStart; at += ENTRY_BYTES) {
    places.set(view.getUint32(at), [dataStart + view.getUint32(at + 8), view.getUint32(at + 12)]);
  }
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, dataStart + dataBytes);
  const texts = (tag: number) => textsAt(data, ...(places.get(tag) ?? NOWHERE));
  const numbers = (tag: number) => numbersAt(data, ...(places.get(tag) ?? NOWHERE));
  const [statesStart, statesCount] = places.get(TAG.fileStates) ?? NOWHERE;
  const epoch = numbers(TAG.epoch)[0];
  const [name = "", version = "", release = "", architecture = ""] = [
    ...[TAG.name, TAG.version, TAG.release, TAG.architecture].map((tag) => texts(tag)[0]),
  ];
  if (name === "") throw new RangeError("a package's header has no name");
  const whole = `${epoch === undefined ? "" : `${epoch}:`}${version}-${release}`;
  return {
    package: { manager: "rpm", name, version: whole, architecture, ...sourceOf(name, texts(TAG.sourceRpm)[0] ?? "") },
    baseNames: texts(TAG.baseNames),
    folderNames: texts(TAG.folderNames),
    folderIndexes: numbers(TAG.folderIndexes),
    oldNames: texts(TAG.oldFileNames),
    states: data.subarray(statesStart, statesStart + statesCount),
  };
}

/** The paths of the files that the package has installed; not those that another one replaced or that were left out. */
export function* filesOf(header: Header): Generator<string> {
  const { baseNames, folderNames, folderIndexes, oldNames, states } = header;
  for (const [file, name] of (baseNames.length > 0 ? baseNames : oldNames).entries()) {
    if ((states[file] ?? STATE_NORMAL) !== STATE_NORMAL) continue;
    yield baseNames.length > 0 ? `${folderNames[folderIndexes[file] ?? -1] ?? ""}${name}` : name;
  }
}

/** From the name of the source package's file, e.g. "glibc-2.38-18.fc39.src.rpm"; nothing where it has the same. */
function sourceOf(packageName: string, file: string): Pick<Package, "source"> {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file) ?? [];
  return name === undefined || version === undefined || name === packageName ? {} : { source: { name, version } };
}

const NOWHERE = [0, 0] as const;

/** Texts end with a NUL byte. */
function textsAt(data: Buffer, start: number, count: number): string[] {
  const texts: string[] = [];
  for (let at = start; texts.length < count; ) {
    const end = data.indexOf(0, at);
    if (end < 0) throw new RangeError("a text in a package's header has no end");
    texts.push(data.toString("latin1", at, end));
    at = end + 1;
  }
  return texts;
}

function numbersAt(data: Buffer, start: number, count: number): number[] {
  if (start + 4 * count > data.length) throw new RangeError("numbers in a package's header have no end");
  return Array.from({ length: count }, (_, index) => data.readUInt32BE(start + 4 * index));
}
