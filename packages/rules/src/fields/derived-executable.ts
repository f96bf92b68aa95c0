// The fields of the files that are executed and mapped: nightjar.exe.* of what the actor runs, nightjar.lib.* of what
// an event maps. Falco's language has no names for them.
import { ElfFileSchema, ExecutableSchema, FileGapSchema, Ownership, PackageSchema, wordsOf } from "@nightjar/proto";
import type { EventView, SharedMessage } from "../engine/event-view.ts";
import { Message } from "../engine/message.ts";
import { newCacheKey, type Value } from "./definition.ts";
import type { ValueType } from "./known.ts";
import { EVERY_EVENT, eventsNamed, type ServedField } from "./served.ts";

const FILE = ExecutableSchema.field;
const ELF = ElfFileSchema.field;
const PACKAGE = PackageSchema.field;

type Read = (message: Message) => Value;

const gapWords = wordsOf(FileGapSchema);

const sha256: Read = (message) => hexadecimal(message.view(FILE.sha256.number));
const ofElf = (read: Read) => within(FILE.elf.number, read);
const ofPackage = (number: number) => within(FILE.package.number, (message) => message.text(number));
const flag =
  (number: number): Read =>
  (message) =>
    message.uint(number) !== 0;

/** Only where it is known: a file whose owner nobody could tell is not without one. */
const isPackaged: Read = (message) => {
  const ownership = message.uint(FILE.ownership.number);
  if (ownership === Ownership.PACKAGE) return true;
  return ownership === Ownership.NO_PACKAGE ? false : undefined;
};

/** As Sysmon writes it, which Sigma's field Hashes follows; of its digests there is one. */
const hashes: Read = (message) => {
  const digest = sha256(message);
  return digest === undefined ? undefined : `SHA256=${(digest as string).toUpperCase()}`;
};

const ROWS: readonly (readonly [name: string, type: ValueType, from: string, read: Read])[] = [
  ["sha256", "string", "Executable.sha256, in hexadecimal", sha256],
  ["hashes", "string", "Executable.sha256, as Sysmon writes digests", hashes],
  ["gap", "string", "Executable.gap: why there is no digest", (message) => gapWords.get(message.uint(FILE.gap.number))],
  ["size", "int", "Executable.size_bytes", (message) => message.uint64(FILE.sizeBytes.number)],
  ["is_packaged", "bool", "Executable.ownership", isPackaged],
  ["package", "string", "Package.name", ofPackage(PACKAGE.name.number)],
  ["package_version", "string", "Package.version", ofPackage(PACKAGE.version.number)],
  ["package_manager", "string", "Package.manager", ofPackage(PACKAGE.manager.number)],
  ["is_static", "bool", "ElfFile.is_static", ofElf(flag(ELF.isStatic.number))],
  ["is_stripped", "bool", "ElfFile.is_stripped", ofElf(flag(ELF.isStripped.number))],
  ["is_pie", "bool", "ElfFile.is_position_independent", ofElf(flag(ELF.isPositionIndependent.number))],
  ["interpreter", "string", "ElfFile.interpreter", ofElf((message) => message.text(ELF.interpreter.number))],
  ["build_id", "string", "ElfFile.build_id", ofElf((message) => hexadecimal(message.view(ELF.buildId.number)))],
];

/** Reads from a message that stands in the file's. */
function within(number: number, read: Read): Read {
  const inner = new Message();
  return (message) => {
    const start = message.start(number);
    if (start === 0) return undefined;
    inner.load(message.bytes, start, message.stop(number));
    return read(inner);
  };
}

function hexadecimal(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

type Find = (view: EventView) => SharedMessage | undefined;

/** Many events share a file: what is read of it is worked out once. */
function kept(find: Find, read: Read): (view: EventView) => Value {
  const key = newCacheKey();
  return (view) => {
    const file = find(view);
    if (!file) return undefined;
    if (!(key in file.cache)) file.cache[key] = read(file.message);
    return file.cache[key] as Value;
  };
}

function rowsOf(prefix: string, events: readonly number[], find: Find): ServedField[] {
  return ROWS.map(([name, type, from, read]) => {
    const get = kept(find, read);
    return { name: `${prefix}.${name}`, type, events, from, getter: (argument) => (argument ? undefined : get) };
  });
}

export const EXECUTABLE_FIELDS: readonly ServedField[] = [
  ...rowsOf("nightjar.exe", EVERY_EVENT, (view) => view.executable()),
  ...rowsOf("nightjar.lib", eventsNamed("library"), (view) => view.mapped),
];
