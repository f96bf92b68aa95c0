// Reads which file an event names: of an encoded Exec the program, of an encoded Library the file that was mapped.
import { fromBinary } from "@bufbuild/protobuf";
import { FieldCursor, WIRE_VARINT } from "@nightjar/events";
import { ExecSchema, LibrarySchema } from "@nightjar/proto";
import type { NamedFile } from "./file.ts";

const EXEC = ExecSchema.field;
const LIBRARY = LibrarySchema.field;

/** The fields that make up an inode's identity. */
type Identity = readonly [device: number, inode: number, changed: number];

const EXEC_IDENTITY: Identity = [EXEC.device.number, EXEC.inode.number, EXEC.changedTimeNs.number];
const LIBRARY_IDENTITY: Identity = [LIBRARY.device.number, LIBRARY.inode.number, LIBRARY.changedTimeNs.number];

/** What tells the key of a library from that of a program: they are found in other ways. */
const LIBRARY_MARK = "L";

/** The same for the same inode in the same state; "" where the event names none. */
export function programKey(exec: Uint8Array): string {
  return keyOf(exec, EXEC_IDENTITY);
}

/** The same of an encoded Library. */
export function libraryKey(library: Uint8Array): string {
  const key = keyOf(library, LIBRARY_IDENTITY);
  return key === "" ? "" : LIBRARY_MARK + key;
}

/** The file of one of these keys, as the message names it that the key was made of. */
export function fileOf(key: string, pid: number, message: Uint8Array): NamedFile {
  if (key.startsWith(LIBRARY_MARK)) {
    const { path, fd, ...library } = fromBinary(LibrarySchema, message);
    return { kind: "library", pid, path: latin1(path), fd, mountNamespace: 0, ...identityOf(library) };
  }
  const { executable, mountNamespace, ...exec } = fromBinary(ExecSchema, message);
  return { kind: "program", pid, path: latin1(executable), fd: -1, mountNamespace, ...identityOf(exec) };
}

function identityOf(message: { device: number; inode: bigint; changedTimeNs: bigint; modifiedTimeNs: bigint }) {
  const { device, inode, changedTimeNs: changedNs, modifiedTimeNs: modifiedNs } = message;
  return { device, inode, changedNs, modifiedNs };
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

const cursor = new FieldCursor();

/** The numbers as they stand in the message: of one encoder, the same bytes are the same number. */
function keyOf(message: Uint8Array, [deviceNumber, inodeNumber, changedNumber]: Identity): string {
  let [device, inode, changed] = ["", "", ""];
  cursor.enter(message, 0, message.length);
  while (cursor.next()) {
    if (cursor.wireType !== WIRE_VARINT) continue;
    if (cursor.number === deviceNumber) device = latin1(cursor.view());
    else if (cursor.number === inodeNumber) inode = latin1(cursor.view());
    else if (cursor.number === changedNumber) changed = latin1(cursor.view());
  }
  return inode === "" ? "" : `${device}:${inode}:${changed}`;
}
