// What is known of the files that processes execute and map: asked of threads, kept by identity, encoded once.
import { closeSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  ElfFileSchema,
  type Executable as ExecutableMessage,
  ExecutableSchema,
  FileGap,
  Ownership,
  PackageSchema,
} from "@nightjar/proto";
import type { CounterName } from "@nightjar/stage";
import { Row } from "../context/row.ts";
import type { FileSource, SourceHealth, Subject } from "../context/source.ts";
import type { NamedFile } from "./file.ts";
import { type Digested, type Gap, type Inspection, SMALL_BYTES_MAX } from "./inspect.ts";
import { Lane, type Outcome } from "./lane.ts";
import { fileOf, libraryKey, programKey } from "./named-file.ts";
import type { LookAnswer, Tasks, ThreadData } from "./tasks.ts";

/** Files that are remembered; beyond, those asked for longest ago are read again. Each takes about 1 KB. */
export const EXECUTABLES_MAX = 16_384;
/** A process of each mount namespace is remembered, for files whose process is gone. */
const NAMESPACES_MAX = 4_096;
/** A thread that takes longer than this, beside the time that reading may take, does not come back. */
const STUCK_MS = 30_000;
/** What a failed try cost is not spent again at once: a file that was gone is asked for again after this. */
const RETRY_MS = 1_000;
/** A file system that did not answer is left alone for this long. */
const SILENT_MS = 600_000;
/** Whose a file is may change without the file: it is asked again after this. */
const OWNER_MS = 60_000;

/** A file, and what is known of it now. */
class Executable extends Row {
  readonly message = create(ExecutableSchema, { gap: FileGap.PENDING });
  /** What was read is that file's for ever. */
  isSettled = false;
  askedAt = Number.NEGATIVE_INFINITY;
  ownerAskedAt = Number.NEGATIVE_INFINITY;
  path = "";
  /** Where the paths of its process begin. */
  root = "";
  underWay: Promise<void> | undefined;

  constructor() {
    super(NOTHING_KNOWN);
    this.isPartial = true;
  }
}

const NOTHING_KNOWN = toBinary(ExecutableSchema, create(ExecutableSchema, { gap: FileGap.PENDING }));

export class Executables implements FileSource {
  readonly keyOf = programKey;
  readonly keyOfLibrary = libraryKey;
  /** Resolves when the host's package databases are read, which nobody should have to wait for with an event. */
  readonly ready: Promise<unknown>;
  readonly #files: Lane;
  /** For what takes long: large files, package databases. */
  readonly #background: Lane;
  readonly #now: () => number;
  /** The one asked for last at the end. */
  readonly #rows = new Map<string, Executable>();
  /** By mount namespace, a process that was seen in it last. */
  readonly #peers = new Map<number, number>();
  /** Devices that did not answer, and when. */
  readonly #silent = new Map<number, number>();
  readonly #counts = { files_read: 0, file_bytes_read: 0, executables_forgotten: 0 };
  readonly #gaps = new Map<FileGap, number>();
  #ownerProblems: readonly string[] = [];

  /** `thread` is the path of the module that runs in the threads; `now` gives a time in ms that only grows. */
  constructor(thread: string, data: ThreadData, now: () => number = () => performance.now()) {
    const readMs = (bytes: number) => STUCK_MS + Math.ceil((2_000 * bytes) / data.bytesPerSecond);
    this.#files = new Lane(thread, data, readMs(SMALL_BYTES_MAX));
    this.#background = new Lane(thread, data, readMs(data.fileBytesMax));
    this.#now = now;
    this.ready = this.#background.run("owner", { path: "/", root: "" });
  }

  lookup(key: string): Executable | undefined {
    const row = this.#rows.get(key);
    if (
      row &&
      !row.isPartial &&
      row.message.ownership !== Ownership.UNSPECIFIED &&
      this.#now() > row.ownerAskedAt + OWNER_MS
    )
      void this.#askOwner(row);
    return row;
  }

  async ask(key: string, { pid, message }: Subject): Promise<void> {
    const known = this.#rows.get(key);
    const now = this.#now();
    if (known?.underWay !== undefined) return known.underWay;
    if (known && !this.#isDue(known, now)) return;
    const file = fileOf(key, pid, message);
    const { mountNamespace } = file;
    if (mountNamespace !== 0) remember(this.#peers, mountNamespace, pid, NAMESPACES_MAX);
    const row = known ?? new Executable();
    this.#counts.executables_forgotten += remember(this.#rows, key, row, EXECUTABLES_MAX);
    row.askedAt = now;
    row.path = file.path;
    row.isPartial = true;
    row.underWay = this.#read(row, file).finally(() => {
      row.underWay = undefined;
      row.isPartial = !row.isSettled;
    });
    return row.underWay;
  }

  /** What is seen of processes in /proc; undefined where that is too much, or something there does not answer. */
  async look(pids: readonly number[]): Promise<LookAnswer | undefined> {
    const outcome = await this.#background.run("look", { pids });
    return "answer" in outcome ? outcome.answer : undefined;
  }

  health(): SourceHealth {
    const silent = [...this.#silent.keys()].map((device) => `the file system of device ${device} does not answer`);
    const gaps = GAP_COUNTERS.map(([gap, name]) => [name, this.#gaps.get(gap) ?? 0] as const);
    const counts = { ...this.#counts, executables: this.#rows.size, ...Object.fromEntries(gaps) };
    return { counts, problems: [...silent, ...this.#ownerProblems] };
  }

  async close(): Promise<void> {
    await Promise.all([this.#files.close(), this.#background.close()]);
  }

  #isDue({ message, isSettled, askedAt }: Executable, now: number): boolean {
    if (isSettled) return false;
    // What was read within a tick of the clock of its last change counts for the event that asked alone.
    return message.gap === FileGap.UNSPECIFIED || now - askedAt > RETRY_MS;
  }

  async #read(row: Executable, file: NamedFile): Promise<void> {
    if (this.#isSilent(file.device)) return this.#give(row, { gap: FileGap.NO_ANSWER });
    const outcome = await this.#files.run("inspect", { file, peer: this.#peers.get(file.mountNamespace) ?? 0 });
    if (!("answer" in outcome)) return this.#give(row, { gap: this.#failed(outcome.failed, file) });
    const { answer: known } = outcome;
    const { root, rest, isSettled } = known;
    // What was read of this very inode before stands.
    if (known.gap === "gone" && row.message.sha256.length > 0) return;
    this.#give(row, knownOf(known));
    row.root = root;
    // Whose it is is known sooner than the digest of a large file.
    if (rest) await this.#askOwner(row);
    if (rest) this.#give(row, await this.#digest(rest, file));
    row.isSettled = isSettled && SETTLED.has(row.message.gap);
    if (!rest && row.message.gap !== FileGap.GONE) await this.#askOwner(row);
  }

  async #digest(rest: NonNullable<Inspection["rest"]>, file: NamedFile): Promise<Partial<ExecutableMessage>> {
    const outcome = await this.#background.run("digest", rest);
    if ("answer" in outcome) return contentsOf(outcome.answer);
    if (outcome.failed === "busy") closeSync(rest.fd);
    return { gap: this.#failed(outcome.failed, file) };
  }

  #failed(failed: "busy" | "no_answer", { device }: NamedFile): FileGap {
    if (failed === "busy") return FileGap.BUSY;
    this.#silent.set(device, this.#now());
    return FileGap.NO_ANSWER;
  }

  #isSilent(device: number): boolean {
    const since = this.#silent.get(device);
    if (since === undefined) return false;
    if (this.#now() - since < SILENT_MS) return true;
    this.#silent.delete(device);
    return false;
  }

  async #askOwner(row: Executable): Promise<void> {
    const { path, root } = row;
    row.ownerAskedAt = this.#now();
    const outcome: Outcome<Tasks["owner"]["answer"]> = await this.#background.run("owner", { path, root });
    if (!("answer" in outcome)) return;
    const { owner, problems } = outcome.answer;
    this.#ownerProblems = problems;
    // The root folder is gone; what was known stays.
    if (owner.known === "unknown") return;
    delete row.message.package;
    const found = owner.known === "package" && { package: create(PackageSchema, owner.package) };
    this.#give(row, { ownership: OWNERSHIP[owner.known], ...found });
  }

  /** Takes what is newly known into the row. */
  #give(row: Executable, known: Partial<ExecutableMessage>): void {
    Object.assign(row.message, known);
    row.bytes = toBinary(ExecutableSchema, row.message);
    const { gap, sha256 } = known;
    if (sha256 && sha256.length > 0) {
      this.#counts.files_read++;
      this.#counts.file_bytes_read += Number(row.message.sizeBytes);
    }
    if (gap) this.#gaps.set(gap, (this.#gaps.get(gap) ?? 0) + 1);
  }
}

/** The counters of files of which nothing could be read, by the reason. */
const GAP_COUNTERS = [
  [FileGap.TOO_LARGE, "files_too_large"],
  [FileGap.GONE, "files_gone"],
  [FileGap.CHANGED, "files_changed"],
  [FileGap.UNREADABLE, "files_unreadable"],
  [FileGap.BUSY, "files_refused"],
  [FileGap.NO_ANSWER, "files_unanswered"],
] as const satisfies readonly (readonly [FileGap, CounterName])[];

/** With these, nothing more is to be found out about what is in the file. */
const SETTLED: ReadonlySet<FileGap> = new Set([FileGap.UNSPECIFIED, FileGap.TOO_LARGE]);

const OWNERSHIP = {
  package: Ownership.PACKAGE,
  no_package: Ownership.NO_PACKAGE,
  no_database: Ownership.NO_DATABASE,
} as const;

const GAPS: Readonly<Record<Gap, FileGap>> = {
  gone: FileGap.GONE,
  changed: FileGap.CHANGED,
  unreadable: FileGap.UNREADABLE,
  too_large: FileGap.TOO_LARGE,
  pending: FileGap.PENDING,
};

/** As the message has it. */
function contentsOf({ sha256, gap }: Digested): Pick<ExecutableMessage, "sha256" | "gap"> {
  return { sha256: new Uint8Array(sha256 ?? []), gap: gap ? GAPS[gap] : FileGap.UNSPECIFIED };
}

function knownOf({ elf, sizeBytes, attributesChanged, ...digested }: Inspection): Partial<ExecutableMessage> {
  const typed = elf && { elf: create(ElfFileSchema, elf) };
  return { ...contentsOf(digested), sizeBytes: BigInt(sizeBytes), attributesChanged, ...typed };
}

/** Puts a value at the end of a map that holds so many at most; returns how many left it. */
function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, max: number): number {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return 0;
  const [oldest] = map;
  if (oldest === undefined) return 0;
  map.delete(oldest[0]);
  if (oldest[1] instanceof Row) oldest[1].isForgotten = true;
  return 1;
}
