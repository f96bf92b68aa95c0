// The inventory's files, programs and containers: made of what a batch says of a process, brought up to date by it.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Container,
  ContainerItemSchema,
  ContainerSchema,
  type Executable,
  FileGap,
  type FileItem,
  FileItemSchema,
  LoginItemSchema,
  ProgramItemSchema,
  Replacement,
} from "@nightjar/proto";
import type { Catalogue, Entry, When } from "./catalogue.ts";
import { bytesOf, itemId } from "./identity.ts";
import type { Actor } from "./rows.ts";

const NS_PER_MS = 1_000_000n;
/** Lines of ancestors that a program tells. */
const ANCESTRIES_MAX = 4;
/** Sessions of a login that are told. */
const SESSIONS_MAX = 16;
/** 4294967295 stands for nobody. */
const ID_UNKNOWN = 0xffff_ffff;

/** A file as an event or /proc names it. */
export interface SeenFile {
  path: string;
  inode: bigint;
  modifiedNs: bigint;
  ownerUid: number;
  fileMode: number;
  upperLayer: boolean;
  fromMemfd: boolean;
  replacement: Replacement;
  contents: Executable | undefined;
  /** How it is used. */
  use: "executed" | "mapped" | "interpreted";
}

/** Whose files: those of an image are the same in all its containers. */
export function rootOf(container: Container | undefined, upperLayer = false): string {
  if (!container) return "";
  const { imageId, imageDigest, fullId } = container;
  const image = imageId || imageDigest;
  return image !== "" && !upperLayer ? `image:${image}` : `container:${fullId}`;
}

export function seeFile(catalogue: Catalogue, seen: SeenFile, container: Container | undefined, at: When): Entry {
  const root = rootOf(container, seen.upperLayer);
  const { path, inode, modifiedNs, ownerUid, fileMode, upperLayer, fromMemfd } = seen;
  const entry = catalogue.see(itemId("file", root, path, modifiedNs), at, () => {
    const modifiedAt = timestampFromMs(Number(modifiedNs / NS_PER_MS));
    const more = { inode, modifiedAt, ownerUid, fileMode, upperLayer, fromMemfd };
    return { case: "file", value: create(FileItemSchema, { root, path: bytesOf(path), ...more }) };
  });
  const { what } = entry.item;
  if (what.case === "file" && updateFile(what.value, seen)) catalogue.change(entry);
  return entry;
}

/** Whether it changed. */
function updateFile(file: FileItem, { contents, use, replacement }: SeenFile): boolean {
  const isUsed = file[use];
  const isReplaced = file.replacement !== replacement;
  file[use] = true;
  file.replacement = replacement;
  const isRead = contents !== undefined && isNews(file, contents);
  if (isRead) file.contents = replacement === Replacement.UNSPECIFIED ? contents : asItWas(file, contents);
  return !isUsed || isReplaced || isRead;
}

function isNews({ contents: known }: FileItem, contents: Executable): boolean {
  if (!known) return true;
  if (known.sha256.length > 0 && contents.sha256.length === 0) return false;
  const isSame =
    Buffer.compare(known.sha256, contents.sha256) === 0 &&
    known.gap === contents.gap &&
    known.ownership === contents.ownership &&
    known.package?.version === contents.package?.version;
  return !isSame;
}

/**
 * What the package database says is of the file that is at the path now, not of the one that runs: its version is the
 * one that was known before, or none.
 */
function asItWas({ contents: known }: FileItem, contents: Executable): Executable {
  if (known?.package) return { ...contents, package: known.package, ownership: known.ownership };
  if (!contents.package) return contents;
  return { ...contents, package: { ...contents.package, version: "" } };
}

/** Whether all that will ever be known of its contents is known. */
export function isComplete({ item }: Entry): boolean {
  if (item.what.case !== "file") return true;
  const { contents } = item.what.value;
  return (
    contents !== undefined &&
    contents.gap !== FileGap.PENDING &&
    contents.gap !== FileGap.BUSY &&
    contents.ownership !== 0
  );
}

/** What the acting process executes. */
export function programFile({ process, path, contents }: Actor, replacement: Replacement): SeenFile {
  const { image } = process;
  const unlinked = image?.unlinked ?? false;
  return {
    path,
    inode: image?.inode ?? 0n,
    modifiedNs: image?.modifiedTimeNs ?? 0n,
    ownerUid: image?.ownerUid ?? 0,
    fileMode: image?.fileMode ?? 0,
    upperLayer: image?.upperLayer ?? false,
    fromMemfd: image?.fromMemfd ?? false,
    replacement: replacement || (unlinked ? Replacement.DELETED : Replacement.UNSPECIFIED),
    contents,
    use: "executed",
  };
}

/** The program that the process runs, its file and, where it has one, its container and its login. */
export function seeProgram(
  catalogue: Catalogue,
  actor: Actor,
  at: When,
  replacement: Replacement = Replacement.UNSPECIFIED,
): { program: Entry; file: Entry; container: Entry | undefined } {
  const { process, path, script, container: row, unit, ancestors } = actor;
  const seen = programFile(actor, replacement);
  const file = seeFile(catalogue, seen, row, at);
  const containerId = row?.fullId ?? "";
  const { uid, userName } = process;
  const program = catalogue.see(itemId("program", file.id, uid, containerId, unit, script), at, () => {
    const named = { root: rootOf(row, seen.upperLayer), file: file.id, path: bytesOf(path), script: bytesOf(script) };
    return { case: "program", value: create(ProgramItemSchema, { ...named, uid, userName, containerId, unit }) };
  });
  const { what } = program.item;
  if (what.case === "program" && ancestors !== "" && !what.value.ancestors.includes(ancestors)) {
    if (what.value.ancestors.length < ANCESTRIES_MAX) {
      what.value.ancestors.push(ancestors);
      catalogue.change(program);
    }
  }
  seeLogin(catalogue, actor, at);
  return { program, file, container: row && seeContainer(catalogue, row, at) };
}

function seeContainer(catalogue: Catalogue, container: Container, at: When): Entry {
  const entry = catalogue.see(itemId("container", container.fullId), at, () => ({
    case: "container",
    value: create(ContainerItemSchema, { container: brief(container), root: rootOf(container) }),
  }));
  const { what } = entry.item;
  // Its runtime answers when its first processes run already.
  if (what.case === "container" && what.value.container?.missing !== container.missing) {
    what.value.container = brief(container);
    what.value.root = rootOf(container);
    catalogue.change(entry);
  }
  return entry;
}

/** Without what may be secret or is long. */
function brief(container: Container): Container {
  const { $unknown: _, ...known } = container;
  return create(ContainerSchema, { ...known, environment: [], cniResult: "", events: 0n });
}

function seeLogin(catalogue: Catalogue, { process }: Actor, at: When): void {
  const { image } = process;
  if (!image || image.loginUid === ID_UNKNOWN) return;
  const terminal = Buffer.from(image.ttyName).toString();
  const entry = catalogue.see(itemId("login", image.loginUid, terminal), at, () => {
    const login = { uid: image.loginUid, userName: process.loginUserName, terminal };
    return { case: "login", value: create(LoginItemSchema, login) };
  });
  const { what } = entry.item;
  if (what.case !== "login" || image.auditSessionId === ID_UNKNOWN) return;
  const { sessions } = what.value;
  if (sessions.includes(image.auditSessionId)) return;
  sessions.push(image.auditSessionId);
  if (sessions.length > SESSIONS_MAX) sessions.shift();
  catalogue.change(entry);
}
