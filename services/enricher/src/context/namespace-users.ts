// Names of users and groups as each process's own mount namespace has them: the host's, or a container's.
import { FieldCursor, WIRE_VARINT } from "@nightjar/events";
import { ExecSchema } from "@nightjar/proto";
import type { Namespaces, UserFiles, UserNames } from "../users.ts";
import {
  type IdNames,
  insideOf,
  type NamespaceFiles,
  type ReadNamespace,
  readNamespaceFiles,
} from "./namespace-files.ts";

/** Mount namespaces that are remembered, and names in all of them; beyond, those known longest go. */
export const NAMESPACES_MAX = 1_024;
export const NAMES_MAX = 500_000;
/** Namespaces in which something happened are looked at for a change this often, so many each time. */
export const NAMESPACES_CHECK_MS = 2_000;
export const NAMESPACES_CHECKED_MAX = 32;
/** Reads at once, and of those that wait. A file system of the container's own may never answer (FUSE). */
export const READS_AT_ONCE_MAX = 2;
export const READS_WAITING_MAX = 256;
/** Then nobody waits for a read any more; its place is free again when it ends. */
export const READ_MS_MAX = 2_000;

const MOUNT_NAMESPACE = ExecSchema.field.mountNamespace.number;
const NO_NAME = new Uint8Array(0);
const ROOT = new TextEncoder().encode("root");

interface Known {
  files: NamespaceFiles | undefined;
  /** Undefined until they are known. */
  names: UserNames | undefined;
  /** A process that was in it lately. */
  pid: number;
  isUsed: boolean;
  /** Resolves when it is known or nobody waits any more. */
  reading: Promise<void> | undefined;
  /** A read has not ended; perhaps it never will. */
  isBusy: boolean;
}

/** The source of names of users and groups. Of a process whose own are not known (yet), it says none, or the host's. */
export class NamespaceUsers implements UserNames {
  readonly counts = {
    /** Times the files of a namespace were looked at. */
    reads: 0,
    /** Of these, those without an answer: the process had ended, or the container's file system did not answer. */
    unread: 0,
    /** Reads that were left out because too many waited. */
    refused: 0,
    /** Namespaces that were forgotten because there were too many. */
    evicted: 0,
  };
  #ownGeneration = 0;
  #namesKept = 0;
  #readsRunning = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #known = new Map<number, Known>();
  readonly #host: UserFiles;
  readonly #home: Namespaces;
  readonly #read: ReadNamespace;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(host: UserFiles, home: Namespaces, read: ReadNamespace = readNamespaceFiles) {
    this.#host = host;
    this.#home = home;
    this.#read = read;
  }

  get generation(): number {
    return this.#host.generation + this.#ownGeneration;
  }

  user(uid: number): Uint8Array {
    return this.#host.user(uid);
  }

  group(gid: number): Uint8Array {
    return this.#host.group(gid);
  }

  of(pid: number, namespaces: Namespaces | undefined): UserNames {
    const number = namespaces?.mountNamespace ?? 0;
    if (namespaces === undefined || number === 0 || number === this.#home.mountNamespace) return this.#host;
    const known = this.#known.get(number) ?? this.#add(number, pid);
    known.pid = pid;
    known.isUsed = true;
    // Services with mounts of their own have the host's users; a pid namespace of its own makes a container.
    return known.names ?? (namespaces.pidNamespace === this.#home.pidNamespace ? this.#host : NOBODY);
  }

  /** The mount namespace of an encoded Exec; "" where it is the sensor's own. */
  keyOf(exec: Uint8Array): string {
    const cursor = new FieldCursor().enter(exec, 0, exec.length);
    let number = 0;
    while (cursor.next())
      if (cursor.number === MOUNT_NAMESPACE && cursor.wireType === WIRE_VARINT) number = cursor.uint();
    return number === 0 || number === this.#home.mountNamespace ? "" : String(number);
  }

  /** What is known now; no I/O. */
  lookup(key: string): UserNames | undefined {
    return this.#known.get(Number(key))?.names;
  }

  /** Begins to find out; resolves when it is known or given up, and never rejects. */
  async ask(key: string, { pid }: { pid: number }): Promise<void> {
    const known = this.#known.get(Number(key)) ?? this.#add(Number(key), pid);
    await known.reading;
  }

  health(): { counts: Readonly<Record<string, number>>; problems: readonly string[] } {
    const hang = this.#readsRunning >= READS_AT_ONCE_MAX && this.#waiting.length > 0;
    const problems = hang ? [`${this.#readsRunning} containers' file systems do not answer`] : [];
    return { counts: this.counts, problems: [...this.#host.problems, ...problems] };
  }

  /** Looks for changes; `now` is a time in ms that only grows. Call it between batches. */
  refresh(now: number): void {
    this.#host.refresh(now);
    if (now - this.#checkedAt < NAMESPACES_CHECK_MS) return;
    this.#checkedAt = now;
    const used = [...this.#known].filter(([, known]) => known.isUsed && !known.isBusy);
    for (const [number, known] of used.slice(0, NAMESPACES_CHECKED_MAX)) {
      known.isUsed = false;
      this.#begin(number, known);
    }
  }

  #add(number: number, pid: number): Known {
    const known: Known = { files: undefined, names: undefined, pid, isUsed: false, reading: undefined, isBusy: false };
    this.#known.set(number, known);
    this.#evict();
    this.#begin(number, known);
    return known;
  }

  #evict(): void {
    for (const [number, { files }] of this.#known) {
      if (this.#known.size <= NAMESPACES_MAX && this.#namesKept <= NAMES_MAX) return;
      this.#known.delete(number);
      this.#namesKept -= sizeOf(files);
      this.counts.evicted++;
    }
  }

  #begin(number: number, known: Known): void {
    if (this.#waiting.length >= READS_WAITING_MAX) {
      this.counts.refused++;
      known.isUsed = true;
      return;
    }
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, READ_MS_MAX).unref();
    known.reading = Promise.race([this.#take(number, known), timeout.promise]).finally(() => {
      clearTimeout(timer);
      known.reading = undefined;
    });
  }

  /** Reads when it is its turn; what fails leaves what was known. */
  async #take(number: number, known: Known): Promise<void> {
    known.isBusy = true;
    if (this.#readsRunning < READS_AT_ONCE_MAX) this.#readsRunning++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.counts.reads++;
    try {
      this.#learn(number, known, await this.#read(known.pid, number, known.files));
    } catch {
      this.counts.unread++;
    } finally {
      known.isBusy = false;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#readsRunning--;
    }
  }

  #learn(number: number, known: Known, files: NamespaceFiles): void {
    const isNew = known.names === undefined || keyOfFiles(files) !== keyOfFiles(known.files);
    if (this.#known.get(number) !== known || !isNew) return;
    this.#namesKept += sizeOf(files) - sizeOf(known.files);
    known.files = files;
    const isHosts = files.users.version === this.#host.userVersion && files.users.ids.length === 0;
    known.names = isHosts ? this.#host : new OwnNames(files);
    this.#ownGeneration++;
    this.#evict();
  }
}

function sizeOf(files: NamespaceFiles | undefined): number {
  return files ? files.users.names.size + files.groups.names.size : 0;
}

function keyOfFiles(files: NamespaceFiles | undefined): string {
  return files ? JSON.stringify([files.users.version, files.groups.version, files.users.ids, files.groups.ids]) : "";
}

/** The names of one namespace's own files. */
class OwnNames implements UserNames {
  readonly generation = 0;
  readonly #files: NamespaceFiles;

  constructor(files: NamespaceFiles) {
    this.#files = files;
  }

  user(uid: number): Uint8Array {
    return nameIn(this.#files.users, uid);
  }

  group(gid: number): Uint8Array {
    return nameIn(this.#files.groups, gid);
  }

  of(): UserNames {
    return this;
  }
}

/** Id 0 is root where no file says otherwise: images without any files have it too. */
function nameIn({ names, ids }: IdNames, id: number): Uint8Array {
  const inside = insideOf(id, ids);
  if (inside === undefined) return NO_NAME;
  return names.get(inside) ?? (inside === 0 ? ROOT : NO_NAME);
}

/** Whoever's names are not known: wrong ones would be worse. */
const NOBODY: UserNames = {
  generation: 0,
  user: (uid) => (uid === 0 ? ROOT : NO_NAME),
  group: (gid) => (gid === 0 ? ROOT : NO_NAME),
  of: () => NOBODY,
};
