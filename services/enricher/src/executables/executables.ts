// What is known of the files that processes execute and map: asked of threads, kept by identity, encoded once.
import { closeSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import { ElfFileSchema, type Executable, ExecutableSchema, FileGap, Ownership, PackageSchema } from "@nightjar/proto";
import type { NamedFile } from "./file.ts";
import { type Digested, type Gap, type Inspection, SMALL_BYTES_MAX } from "./inspect.ts";
import { Lane, type Outcome } from "./lane.ts";
import type { Ownership as OwnerAnswer, ThreadData } from "./tasks.ts";

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

/** A file, as it is known now. */
export interface ExecutableRow {
  readonly key: string;
  /** An encoded Executable; another array when more is known. */
  bytes: Uint8Array;
  readonly message: Executable;
  /** Where it stands in which batch's table; see ProcessTable. */
  tableStamp: number;
  tableIndex: number;
}

interface Entry {
  row: ExecutableRow;
  /** What was read is that file's for ever. */
  isSettled: boolean;
  askedAt: number;
  ownerAskedAt: number;
  root: string;
  underWay: Promise<void> | undefined;
}

/** What has been done since the start. */
export interface ExecutableCounts {
  read: number;
  bytesRead: number;
  refused: number;
  stuck: number;
  forgotten: number;
  /** Files of which nothing could be read, by the reason. */
  gaps: ReadonlyMap<FileGap, number>;
}

export class Executables {
  readonly #files: Lane;
  /** For what takes long: large files, package databases. */
  readonly #background: Lane;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  /** By mount namespace, a process that was seen in it last. */
  readonly #peers = new Map<number, number>();
  /** Devices that did not answer, and when. */
  readonly #silent = new Map<number, number>();
  readonly #counts = { read: 0, bytesRead: 0, forgotten: 0, gaps: new Map<FileGap, number>() };
  #ownerProblems: readonly string[] = [];

  /** `thread` is the path of the module that runs in the threads; `now` gives a time in ms that only grows. */
  constructor(thread: string, data: ThreadData, now: () => number = () => performance.now()) {
    const readMs = (bytes: number) => STUCK_MS + Math.ceil((2_000 * bytes) / data.bytesPerSecond);
    this.#files = new Lane(thread, data, readMs(SMALL_BYTES_MAX));
    this.#background = new Lane(thread, data, readMs(data.fileBytesMax));
    this.#now = now;
    // The host's packages are read before somebody asks.
    void this.#background.run("owner", { path: "/", root: "" });
  }

  /** What is known now; undefined where nobody asked. */
  lookup(key: string): ExecutableRow | undefined {
    return this.#entries.get(key)?.row;
  }

  /** Begins to find out about a file, if that is not known. Resolves when all is known or given up; never rejects. */
  async ask(key: string, file: NamedFile): Promise<void> {
    if (file.mountNamespace !== 0) remember(this.#peers, file.mountNamespace, file.pid, NAMESPACES_MAX);
    const known = this.#entries.get(key);
    const now = this.#now();
    if (known?.underWay !== undefined) return known.underWay;
    if (known && !this.#isDue(known, now)) return;
    const entry = known ?? newEntry(key);
    entry.askedAt = now;
    const dropped = remember(this.#entries, key, entry, EXECUTABLES_MAX);
    this.#counts.forgotten += dropped;
    const work = known?.isSettled ? this.#askOwner(entry, file) : this.#read(entry, file);
    entry.underWay = work.finally(() => {
      entry.underWay = undefined;
    });
    return entry.underWay;
  }

  /** Whether all that can be known of a file now is in its row. */
  isKnown(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.underWay === undefined;
  }

  get counts(): ExecutableCounts {
    const { refused, stuck } = this.#files.counts;
    const background = this.#background.counts;
    return { ...this.#counts, refused: refused + background.refused, stuck: stuck + background.stuck };
  }

  /** What cannot be read, for a health issue; empty when all is well. */
  get problems(): string[] {
    const silent = [...this.#silent.keys()].map((device) => `the file system of device ${device} does not answer`);
    return [...silent, ...this.#ownerProblems];
  }

  async close(): Promise<void> {
    await Promise.all([this.#files.close(), this.#background.close()]);
  }

  #isDue({ row, isSettled, askedAt, ownerAskedAt }: Entry, now: number): boolean {
    if (isSettled) return now - ownerAskedAt > OWNER_MS && row.message.ownership !== Ownership.UNSPECIFIED;
    // What was read within a tick of the clock of its last change counts for the event that asked alone.
    return row.message.gap === FileGap.UNSPECIFIED || now - askedAt > RETRY_MS;
  }

  async #read(entry: Entry, file: NamedFile): Promise<void> {
    const { row } = entry;
    if (this.#isSilent(file.device)) return this.#give(row, { gap: FileGap.NO_ANSWER });
    const outcome = await this.#files.run("inspect", { file, peer: this.#peers.get(file.mountNamespace) ?? 0 });
    if (!("answer" in outcome)) return this.#give(row, { gap: this.#failed(outcome.failed, file) });
    const { answer: known } = outcome;
    const { root, rest, isSettled } = known;
    entry.root = root;
    // What was read of this very inode before stands.
    if (known.gap === "gone" && row.message.sha256.length > 0) return;
    this.#give(row, knownOf(known));
    if (rest) {
      this.#give(row, await this.#digest(rest, file));
    }
    entry.isSettled = isSettled && (row.message.sha256.length > 0 || row.message.gap === FileGap.TOO_LARGE);
    if (row.message.gap !== FileGap.GONE) await this.#askOwner(entry, file);
  }

  async #digest(rest: NonNullable<Inspection["rest"]>, file: NamedFile): Promise<Partial<Executable>> {
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

  async #askOwner(entry: Entry, { path }: NamedFile): Promise<void> {
    entry.ownerAskedAt = this.#now();
    const outcome: Outcome<{ owner: OwnerAnswer; problems: readonly string[] }> = await this.#background.run("owner", {
      path,
      root: entry.root,
    });
    if (!("answer" in outcome)) return;
    const { owner, problems } = outcome.answer;
    this.#ownerProblems = problems;
    const ownership = OWNERSHIP[owner.known];
    if (ownership === Ownership.UNSPECIFIED) return;
    const { row } = entry;
    delete row.message.package;
    this.#give(row, {
      ownership,
      ...(owner.known === "package" && { package: create(PackageSchema, owner.package) }),
    });
  }

  /** Takes what is newly known into the row. */
  #give(row: ExecutableRow, known: Partial<Executable>): void {
    const { gap, sha256, sizeBytes } = known;
    if (sha256) {
      this.#counts.read++;
      this.#counts.bytesRead += Number(row.message.sizeBytes || sizeBytes);
    } else if (gap && gap !== FileGap.PENDING) {
      this.#counts.gaps.set(gap, (this.#counts.gaps.get(gap) ?? 0) + 1);
    }
    Object.assign(row.message, known);
    row.bytes = toBinary(ExecutableSchema, row.message);
    row.tableStamp = -1;
  }
}

const OWNERSHIP: Readonly<Record<OwnerAnswer["known"], Ownership>> = {
  package: Ownership.PACKAGE,
  no_package: Ownership.NO_PACKAGE,
  no_database: Ownership.NO_DATABASE,
  unknown: Ownership.UNSPECIFIED,
};

const GAPS: Readonly<Record<Gap, FileGap>> = {
  gone: FileGap.GONE,
  changed: FileGap.CHANGED,
  unreadable: FileGap.UNREADABLE,
  too_large: FileGap.TOO_LARGE,
  pending: FileGap.PENDING,
};

/** As the message has it. */
function contentsOf({ sha256, gap }: Digested): Pick<Executable, "sha256" | "gap"> {
  return { sha256: new Uint8Array(sha256 ?? []), gap: gap ? GAPS[gap] : FileGap.UNSPECIFIED };
}

function knownOf({ elf, sizeBytes, attributesChanged, ...digested }: Inspection): Partial<Executable> {
  const typed = elf && { elf: create(ElfFileSchema, elf) };
  return { ...contentsOf(digested), sizeBytes: BigInt(sizeBytes), attributesChanged, ...typed };
}

function newEntry(key: string): Entry {
  const message = create(ExecutableSchema, { gap: FileGap.PENDING });
  const row = { key, message, bytes: toBinary(ExecutableSchema, message), tableStamp: -1, tableIndex: 0 };
  const never = Number.NEGATIVE_INFINITY;
  return { row, isSettled: false, askedAt: never, ownerAskedAt: never, root: "", underWay: undefined };
}

/** Puts a value at the end of a map that holds so many at most; returns how many left it. */
function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, max: number): number {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return 0;
  const [oldest] = map.keys();
  map.delete(oldest as Key);
  return 1;
}
