// Programs that outlive who loaded them: pinned in a BPF file system, taken over by the next, drained when it is newer.
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { ProbeError, toProbeError } from "./errors.ts";
import { addonPath, type NativeProbe, objectPath } from "./native.ts";
import {
  type Attachment,
  type Ledger,
  openNative,
  Probe,
  type ProbeOptions,
  type ReadEnd,
  read,
  toLedger,
} from "./probe.ts";

const FOLDER_MODE = 0o700;
const EPOCH_BYTES = 8;
const DIGEST_DIGITS = 32;
/** A set is whole when it has such a name: the ring's epoch, the digest of what it was loaded from, how many links. */
const SET_NAME = /^([0-9a-f]{16})-([0-9a-f]{32})-(\d{1,4})$/;
/** A set that is being pinned, until it is whole. */
const LOADING = "loading-";
/** Symbolic links that only say something: named as what the kernel refused, to its error's name and the place. */
const REFUSALS = "refused";
const KINDS = ["maps", "programs", "links"] as const;
/** How long draining the ring of another version may take before what is left is given up. */
const RETIRE_MS_MAX = 60_000;

export interface PinnedOptions extends ProbeOptions {
  /** The sensor's folder in a BPF file system; it exists and only its owner may write to it. */
  folder: string;
  /** Whether a ring larger than `ringBytes` that is pinned will do. */
  largerRingWillDo?: boolean;
}

export interface PinnedProbe {
  /** It records already; start() begins to read. */
  probe: Probe;
  /** Whether it was found pinned, or loaded now. */
  takenOver: boolean;
  /** The rings of other versions, switched off. To keep the order of events, each is read before the probe is. */
  retired: RetiredRing[];
  /** Sets that could not be read, by name, and why; they are gone. */
  lost: { set: string; why: string }[];
  /** How long this set and one before it recorded both; 0 where there was none. */
  overlapNs: bigint;
}

interface PinnedSet {
  name: string;
  folder: string;
  epoch: bigint;
  digest: string;
  /** Whether someone has taken links out, so that what they attached sees nothing. */
  isMaimed: boolean;
}

/** What is left of a set of programs that another version loaded: its ring, read to the end, and its counters. */
export class RetiredRing {
  readonly epoch: bigint;
  readonly bootId: Uint8Array;
  readonly #native: NativeProbe;
  readonly #folder: string;
  #finalLedger: Ledger[] | undefined;

  /** Comes with openPinnedProbe. */
  constructor(native: NativeProbe, folder: string) {
    this.#native = native;
    this.#folder = folder;
    this.epoch = native.epoch();
    this.bootId = native.bootId();
  }

  /** Reads the ring to its end; the last batch carries the counters. Batches are to be released as the probe's are. */
  async read(onBatch: ProbeOptions["onBatch"]): Promise<ReadEnd> {
    const ended = read(this.#native, onBatch);
    this.#native.stop(RETIRE_MS_MAX);
    return ended;
  }

  release(position: bigint): void {
    if (!this.#native.release(position)) throw new RangeError(`no batch ends at ${position}`);
  }

  /** The counters, which do not change any more. */
  ledger(): Ledger[] {
    this.#finalLedger ??= toLedger(this.#native.ledger());
    return this.#finalLedger;
  }

  /** Lets go of the ring and of what is pinned of it: all of it is safe, or given up. */
  remove(): void {
    this.ledger();
    this.#native.close();
    removeSet(this.#folder);
  }

  /** Lets go of the ring, and leaves it to the next who opens. */
  close(): void {
    this.ledger();
    this.#native.close();
  }
}

/**
 * Takes over the programs that are pinned in the folder where they were loaded from the same object, else loads them
 * and pins them; whatever else is pinned there is switched off and to be drained. A crash anywhere in between leaves
 * what the next call can go on with. Throws ProbeError where the kernel refuses, RangeError on options out of range.
 */
export function openPinnedProbe(options: PinnedOptions): PinnedProbe {
  const digest = digestOf(options);
  removeHalfDone(options.folder);
  const sets = pinnedSets(options.folder);
  const found = takeOver(options, sets, digest);
  const native = found?.native ?? openNative(options, { mode: "load" });
  const probe = new Probe(native, options, found && readRefusals(found.set.folder));
  if (!found) pin(native, probe.attachments, options.folder, digest);
  const others = sets.filter(({ name }) => name !== found?.set.name).map((set) => openOther(options, set));
  // First on, then off: what happens in between is recorded twice, never missed.
  native.setActive(true);
  const startedAt = process.hrtime.bigint();
  for (const { native: other } of others) other?.switchOff();
  const overlapNs = others.length > 0 ? process.hrtime.bigint() - startedAt : 0n;
  for (const { native: other, folder } of others) other ? removeLinks(folder) : removeSet(folder);
  const retired = others.flatMap(({ native: other, folder }) => (other ? [new RetiredRing(other, folder)] : []));
  const lost = others.flatMap(({ name, why }) => (why === undefined ? [] : [{ set: name, why }]));
  return { probe, takenOver: found !== undefined, retired, lost, overlapNs };
}

/** The counters of each set that is pinned in a folder, by epoch, without touching anything of it. */
export function peekPinned(folder: string): Map<bigint, Ledger[]> {
  return new Map(
    pinnedSets(folder).map((set) => {
      const native = openPinned({ folder, onBatch: () => undefined }, set, "retire");
      if (typeof native === "string") return [set.epoch, []];
      const ledger = toLedger(native.ledger());
      native.close();
      return [set.epoch, ledger];
    }),
  );
}

/**
 * Built together, they know each other; one that was built anew may not know what the other left. Where calls are seen
 * was settled when the programs were loaded: a set that sees them elsewhere is no longer the one that is wanted.
 */
function digestOf(options: PinnedOptions): string {
  const hash = createHash("sha256");
  for (const path of [options.objectPath ?? objectPath, addonPath]) hash.update(readFileSync(path));
  hash.update(options.callsSeenAt ?? "tracepoint");
  return hash.digest("hex").slice(0, DIGEST_DIGITS);
}

/** The whole sets of a folder. */
function pinnedSets(folder: string): PinnedSet[] {
  return readdirSync(folder).flatMap((name) => {
    const [, epoch, digest, links] = SET_NAME.exec(name) ?? [];
    if (epoch === undefined || digest === undefined) return [];
    const own = join(folder, name);
    return [{ name, folder: own, epoch: BigInt(`0x${epoch}`), digest, isMaimed: linksIn(own) !== Number(links) }];
  });
}

function linksIn(folder: string): number {
  const links = join(folder, "links");
  return existsSync(links) ? readdirSync(links).length : 0;
}

/** What a crash left half done, and so recorded nothing yet. */
function removeHalfDone(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith(LOADING)) removeSet(join(folder, name));
}

/** Detaches the programs. */
function removeLinks(folder: string): void {
  rmSync(join(folder, "links"), { recursive: true, force: true });
}

/** Links first, so that nothing runs of which another part is gone. */
function removeSet(folder: string): void {
  removeLinks(folder);
  rmSync(folder, { recursive: true, force: true });
}

function takeOver(
  options: PinnedOptions,
  sets: readonly PinnedSet[],
  digest: string,
): { native: NativeProbe; set: PinnedSet } | undefined {
  for (const set of sets.filter((one) => one.digest === digest && !one.isMaimed)) {
    const native = openPinned(options, set, "take over");
    if (typeof native === "string") continue;
    const wanted = options.ringBytes ?? native.ringBytes();
    const fits = native.ringBytes() === wanted || (options.largerRingWillDo && native.ringBytes() > wanted);
    if (fits) return { native, set };
    native.close();
  }
  return undefined;
}

/** The opened set, or why it cannot be opened. */
function openPinned(options: PinnedOptions, set: PinnedSet, mode: "take over" | "retire"): NativeProbe | string {
  try {
    return openNative(options, { mode, folder: set.folder, epoch: set.epoch });
  } catch (error) {
    if (error instanceof ProbeError) return `${error.message} (${error.code})`;
    throw error;
  }
}

/** Pins under a name that says it is not whole, then gives it its own. */
function pin(native: NativeProbe, attachments: readonly Attachment[], folder: string, digest: string): void {
  const epoch = native
    .epoch()
    .toString(16)
    .padStart(2 * EPOCH_BYTES, "0");
  const loading = join(folder, `${LOADING}${randomBytes(EPOCH_BYTES).toString("hex")}`);
  try {
    for (const kind of [...KINDS, REFUSALS]) mkdirSync(join(loading, kind), { recursive: true, mode: FOLDER_MODE });
    native.pin(loading);
    for (const { program, point, code } of attachments)
      if (code) symlinkSync(`${code} ${point}`, join(loading, REFUSALS, program));
    renameSync(loading, join(folder, `${epoch}-${digest}-${linksIn(loading)}`));
  } catch (error) {
    removeSet(loading);
    native.close();
    throw toProbeError(error);
  }
}

function readRefusals(folder: string): Attachment[] {
  const refusals = join(folder, REFUSALS);
  const programs = readdirSync(refusals).sort();
  return programs.map((program) => {
    const [code = "", ...point] = readlinkSync(join(refusals, program)).split(" ");
    return { program, point: point.join(" "), attached: false, code };
  });
}

interface OtherSet {
  name: string;
  folder: string;
  native?: NativeProbe;
  why?: string;
}

function openOther(options: PinnedOptions, { name, folder, ...set }: PinnedSet): OtherSet {
  const native = openPinned(options, { name, folder, ...set }, "retire");
  return typeof native === "string" ? { name, folder, why: native } : { name, folder, native };
}
