// Turns batches of RAW into batches of EVENTS. All state is here; what it needs of the outside is given to it.
import { BatchReader, RangeSet, WireError } from "@nightjar/events";
import type { Running } from "@nightjar/proto";
import { AddressNames, TYPE_DNS } from "./context/address-names.ts";
import { NO_CONTEXT } from "./context/nothing.ts";
import { type SeededContext, seededContext } from "./context/seeded.ts";
import type { Context, Source, UsersSource } from "./context/source.ts";
import { NamedIds } from "./named-ids.ts";
import type { ProcessNode } from "./node.ts";
import { type Output, writeOutputs } from "./output.ts";
import type { LookedAt } from "./running/look.ts";
import { writePart } from "./running/part.ts";
import { EventHeader, isSameMoment, scanEvent, TYPE_EXEC, TYPE_LIBRARY, toNanoseconds } from "./scan.ts";
import {
  encodeTable,
  learnContext,
  readSnapshot,
  SeededNames,
  SNAPSHOT_COMPLETIONS_MAX,
  type SnapshotPlace,
  seedOf,
  writeSnapshot,
} from "./snapshot.ts";
import { ProcessTable } from "./table.ts";
import { ProcessTree, type ProcfsLookup, type ProcfsProcess, type TreeLimits } from "./tree.ts";
import type { UserNames } from "./users.ts";

/** Other boots whose processes are followed (recordings that are played back); the one used longest ago goes. */
export const FOREIGN_BOOTS_MAX = 2;

export interface EnricherOptions {
  /** This boot's id in hexadecimal: only of its processes does /proc know anything. */
  bootId: string;
  /** The same of this boot as batches have it, until the first of them comes. */
  bootTimeUnixNs?: bigint;
  /** Looks for one process in /proc. */
  lookup: ProcfsLookup;
  /** Of those that read the files of containers it is asked beforehand what processes execute. */
  users: UserNames & Partial<UsersSource>;
  /** Who is asked about containers and files of this boot's processes; without it nobody is. */
  context?: Context;
  /** What can be said of those of another boot, or host, without asking anybody. */
  elsewhere?: Context;
  /** No output is larger. */
  outputBytesMax: number;
  limits: TreeLimits;
}

/** What the enricher did since it began. */
export interface EnricherCounts {
  batches: number;
  eventsIn: number;
  eventsOut: number;
  /** Events of types that no rule wants. */
  eventsFiltered: number;
  /** Of these, those that somebody who only listens wanted. */
  eventsTapped: number;
  /** Events that the readers of FACTS want, those told late once more. */
  eventsFacts: number;
  /** Facts told once more, with what was found out later of their files. */
  eventsLate: number;
  /** Batches that came again. */
  batchesRepeated: number;
  /** Outputs beyond one a batch, because one would have been too large. */
  outputsSplit: number;
  ancestorsLost: number;
}

/** What is known of another boot, or another host. */
interface Foreign {
  tree: ProcessTree;
  names: SeededNames;
  addresses: AddressNames;
  context: SeededContext;
}

/** A batch that was read and not taken in yet. */
export interface ScannedBatch {
  reader: BatchReader;
  /** Of its events; those behind the batch's length are left from other batches. */
  events: EventHeader[];
  /** Of one whose events need what is not known: resolves when it is, or given up. */
  found?: Promise<unknown>;
  isFound?: boolean;
}

/** Facts that were told before all was known that belongs to them. */
export interface LateFacts {
  batch: ScannedBatch;
  /** Which of its events, and the processes that acted. */
  actors: Map<number, ProcessNode>;
}

/** A result of taking a batch: what to publish, nothing where the batch was taken before. */
export interface Taken {
  /** The batch's range, as text. */
  id: string;
  outputs: Output[] | "repeated";
  /** The events beside them that are wanted by somebody who only listens. */
  tapped: Output[];
  /** What the readers of FACTS want of the batch. */
  facts: Output[];
  /** Those of them that are to be told once more when `batch.found` resolves. */
  late?: LateFacts;
}

export class Enricher {
  readonly counts: EnricherCounts = {
    batches: 0,
    eventsIn: 0,
    eventsOut: 0,
    eventsFiltered: 0,
    eventsTapped: 0,
    eventsFacts: 0,
    eventsLate: 0,
    batchesRepeated: 0,
    outputsSplit: 0,
    ancestorsLost: 0,
  };
  /** The processes of this boot. */
  readonly tree: ProcessTree;
  /** When the last event was, ms since 1970; 0 before the first. */
  lastEventUnixMs = 0;
  /** The same of this boot's events, ns on CLOCK_BOOTTIME. */
  lastEventNs = 0;
  /** Ranges taken in, kept and lost together with the tree that they changed. */
  readonly processed = new RangeSet();
  readonly #options: EnricherOptions;
  readonly #foreign = new Map<string, Foreign>();
  #addresses = new AddressNames();
  #areAddressesNamed = false;
  /** Up to where this boot's events are in its tree. */
  #place: SnapshotPlace;
  readonly #table: ProcessTable;
  readonly #ids = new NamedIds();
  readonly #context: Context;
  /** Who reads the files of containers. */
  readonly #users: UsersSource | undefined;
  /** Headers to be used again, of batches that were taken in. */
  readonly #spare: EventHeader[][] = [];
  /** Event types that go on; all until it is known which ones rules want. */
  #interest: ReadonlySet<number> | undefined;
  /** Event types that go to those who only listen, unless they go on anyway. */
  #tapped: ReadonlySet<number> = new Set();
  /** Event types that are facts, whoever else wants them. */
  #facts: ReadonlySet<number> = new Set();

  constructor(options: EnricherOptions) {
    this.#options = options;
    this.#context = options.context ?? NO_CONTEXT;
    this.#users = isAsked(options.users) ? options.users : undefined;
    this.tree = new ProcessTree(options.lookup, options.limits);
    this.#table = new ProcessTable(options.users);
    const { bootTimeUnixNs = 0n } = options;
    this.#place = { bootId: Buffer.from(options.bootId, "hex"), epoch: 0n, next: 0, bootTimeUnixNs };
  }

  /** Takes in the processes that run already. */
  load(processes: Iterable<ProcfsProcess>): void {
    this.tree.load(processes);
  }

  /** From now on only events of these types go on. The tree takes in all of them all the same. */
  setInterest(eventTypes: Iterable<number>): void {
    this.#interest = new Set(eventTypes);
  }

  /** From now on events of these types that do not go on are enriched for those who only listen. */
  setTapped(eventTypes: Iterable<number>): void {
    this.#tapped = new Set(eventTypes);
  }

  /** From now on events of these types are given as facts, too. */
  setFacts(eventTypes: Iterable<number>): void {
    this.#facts = new Set(eventTypes);
  }

  /** From now on events come with the domain names of their addresses, as far as DNS events tell them; or no more. */
  setAddressesNamed(areNamed: boolean): void {
    this.#areAddressesNamed = areNamed;
    if (areNamed) return;
    this.#addresses = new AddressNames();
    for (const foreign of this.#foreign.values()) foreign.addresses = new AddressNames();
  }

  /** The domain names of this boot's addresses. */
  get addresses(): AddressNames {
    return this.#addresses;
  }

  /**
   * Reads a batch of RAW, and changes nothing yet.
   * @throws WireError when the bytes are no batch as the collector makes them.
   */
  scan(bytes: Uint8Array): ScannedBatch {
    const reader = new BatchReader(bytes);
    const events = this.#spare.pop() ?? [];
    let least = reader.firstPosition;
    for (let index = 0; index < reader.length; index++) {
      let event = events[index];
      if (event === undefined) event = events[index] = new EventHeader();
      scanEvent(bytes, reader.eventStart(index), reader.eventEnd(index), event);
      if (event.position < least || event.position >= reader.nextPosition) {
        throw new WireError(
          `position ${event.position} is not in its batch's range or not in order`,
          reader.eventStart(index),
        );
      }
      least = event.position + 1;
    }
    return { reader, events };
  }

  /**
   * Begins to find out what the events of a batch will need and is not known: the containers and files of what they
   * execute, the files that they map. Resolves when all of it is known or given up; undefined when all is known. What
   * only facts need is not waited for, so that they do not hold up the others.
   */
  prefetch(batch: ScannedBatch): Promise<unknown> | undefined {
    const { reader, events } = batch;
    if (this.#foreignBoot(reader.sourceId) !== undefined) return undefined;
    const { containers, executables } = this.#context;
    const users = this.#users;
    const asked: Promise<void>[] = [];
    const askedForFacts: Promise<void>[] = [];
    const ask = (source: Source, key: string, pid: number, message: Uint8Array, into = asked) => {
      if (key === "") return;
      const row = source.lookup(key);
      if (row === undefined || row.isPartial) into.push(source.ask(key, { pid, message }));
    };
    for (let index = 0; index < reader.length; index++) {
      const event = events[index] as EventHeader;
      const { type, failed, pid, dataStart, dataEnd } = event;
      if (failed || (type !== TYPE_EXEC && type !== TYPE_LIBRARY)) continue;
      const message = reader.bytes.subarray(dataStart, dataEnd);
      if (type === TYPE_LIBRARY) {
        const key = executables.keyOfLibrary(message);
        if (this.#isWanted(type)) ask(executables, key, pid, message);
        else if (this.#facts.has(type)) ask(executables, key, pid, message, askedForFacts);
        continue;
      }
      event.keys = { container: containers.keyOf(message), executable: executables.keyOf(message) };
      ask(containers, event.keys.container, pid, message);
      ask(executables, event.keys.executable, pid, message);
      const usersKey = users?.keyOf(message) ?? "";
      if (users && usersKey !== "" && !users.lookup(usersKey)) asked.push(users.ask(usersKey, { pid, message }));
    }
    const all = [...asked, ...askedForFacts];
    if (all.length > 0 && this.#facts.size > 0) {
      batch.found = Promise.all(all).then(() => {
        batch.isFound = true;
      });
    }
    return asked.length > 0 ? Promise.all(asked) : undefined;
  }

  /**
   * Takes in the next batch of RAW. A batch that was taken before changes nothing.
   * @throws WireError when the bytes are no batch as the collector makes them; nothing was changed then.
   */
  take(batch: Uint8Array | ScannedBatch): Taken {
    const scanned = batch instanceof Uint8Array ? this.scan(batch) : batch;
    const taken = this.#take(scanned);
    if (!taken.late) this.#spare.push(scanned.events);
    return taken;
  }

  /** The facts once more, with what is known by now. */
  takeLate({ batch, actors: nodes }: LateFacts): Output[] {
    const { reader, events } = batch;
    const foreign = this.#foreignOf(reader.sourceId);
    this.#beginTables(foreign);
    const keeps = Array.from({ length: reader.length }, (_, index) => nodes.has(index));
    const positions = keeps.map((_, index) => (events[index] as EventHeader).position);
    const actors = keeps.map((_, index) => {
      const actor = nodes.get(index);
      return actor ? this.#table.rowOf(actor) : -1;
    });
    const mapped = keeps.map((isKept, index) => {
      const event = events[index] as EventHeader;
      return isKept && event.type === TYPE_LIBRARY ? this.#table.mappedBy(event, reader.bytes) : -1;
    });
    this.#spare.push(events);
    const { outputBytesMax: bytesMax } = this.#options;
    const names = NOTHING;
    const outputs = writeOutputs({ reader, positions, keeps, actors, mapped, table: this.#table, names }, bytesMax);
    this.counts.eventsLate += nodes.size;
    return outputs.map((output) => ({ ...output, id: `${output.id}:late` }));
  }

  #take(batch: ScannedBatch): Taken {
    const { reader } = batch;
    const range = { source: reader.sourceId, first: reader.firstPosition, next: reader.nextPosition };
    // An empty range says only how the counters stand; it changes nothing and may come as often as it likes.
    if (range.first < range.next && this.processed.has(range)) {
      this.counts.batchesRepeated++;
      return { id: reader.id, outputs: "repeated", tapped: [], facts: [] };
    }
    const known = reader.processCount > 0 ? readSnapshot(reader) : undefined;
    const foreign = this.#foreignOf(range.source);
    const tree = foreign?.tree ?? this.tree;
    if (known) {
      foreign?.names.learn(known.processes);
      const seeds = seedOf(known.processes);
      if (foreign) learnContext(foreign.context, known, seeds);
      tree.seed(seeds);
    }
    this.#beginTables(foreign);
    if (!foreign) {
      const { bootId, epoch, nextPosition: next, bootTimeUnixNs } = reader;
      this.#place = { bootId, epoch, next, bootTimeUnixNs };
    }
    const addresses = this.#areAddressesNamed ? (foreign?.addresses ?? this.#addresses) : undefined;
    addresses?.begin();
    const enriched = this.#enrich(batch, tree, addresses, this.processed.touches(range));
    this.processed.add(range);
    return { id: reader.id, ...enriched };
  }

  /**
   * This boot's processes as encoded batches without events, each at most as large as an output. Their empty range says
   * up to where events are in them: a recording that begins with them goes on there.
   */
  *snapshot(): Generator<Uint8Array> {
    this.tree.complete(SNAPSHOT_COMPLETIONS_MAX);
    const { users: names, outputBytesMax: bytesMax } = this.#options;
    const context = this.#context;
    yield* writeSnapshot(this.tree, { place: this.#place, table: this.#table, names, context, bytesMax });
  }

  /** A part of the answer to who asks what runs, of what was seen in /proc. */
  running(lookedAt: readonly LookedAt[]): Running {
    this.#beginTables(undefined);
    return writePart(lookedAt, {
      table: this.#table,
      context: this.#context,
      find: (pid, startTicks) => this.tree.running(pid, startTicks),
      encode: () => encodeTable(this.#place, this.#table),
    });
  }

  #beginTables(foreign: Foreign | undefined): void {
    const tree = foreign?.tree ?? this.tree;
    this.#table.begin(foreign?.names ?? this.#options.users, foreign?.context ?? this.#context, {
      leaderOf: (member, pid) => tree.leader(member, pid),
    });
    this.#ids.begin(foreign?.names ?? this.#options.users);
  }

  #enrich(
    batch: ScannedBatch,
    tree: ProcessTree,
    addresses: AddressNames | undefined,
    isPartlyRepeated: boolean,
  ): Omit<Taken, "id" | "outputs"> & { outputs: Output[] } {
    const { reader, events } = batch;
    const { bytes, length } = reader;
    const positions: number[] = [];
    const keeps: boolean[] = [];
    const taps: boolean[] = [];
    const facts: boolean[] = [];
    const late: LateFacts = { batch, actors: new Map() };
    const isUnknown = batch.found !== undefined && !batch.isFound;
    const actors: number[] = [];
    const mapped: number[] = [];
    const source = isPartlyRepeated ? reader.sourceId : "";
    for (let index = 0; index < length; index++) {
      const event = events[index] as EventHeader;
      const isKept = this.#interest === undefined || this.#interest.has(event.type);
      const isRepeated = isPartlyRepeated && this.processed.includes(source, event.position);
      const actor: ProcessNode | undefined = isRepeated ? tree.find(event.pid, event.start) : tree.apply(event, bytes);
      if (event.type === TYPE_DNS && !isRepeated) addresses?.learn(event, bytes);
      if (event.keys && actor && !isRepeated && isSameMoment(actor.execTime, event.time))
        actor.image?.know(this.#context, event.keys, event, bytes);
      if (!isRepeated) actor?.image?.countEvent();
      const isTapped = !isKept && this.#tapped.has(event.type);
      const isFact = this.#facts.has(event.type);
      positions.push(event.position);
      keeps.push(isKept);
      taps.push(isTapped);
      facts.push(isFact);
      if (isFact && actor && isUnknown && this.#isFileUnknown(event, bytes)) late.actors.set(index, actor);
      const isWanted = isKept || isTapped || isFact;
      actors.push(isWanted && actor ? this.#table.rowOf(actor) : -1);
      mapped.push(isWanted && event.type === TYPE_LIBRARY ? this.#table.mappedBy(event, bytes) : -1);
      if (!isKept && !isTapped) continue;
      this.#ids.add(bytes, event);
      addresses?.add(event, bytes);
    }
    const last = events[length - 1];
    if (length > 0 && last) {
      const time = toNanoseconds(last.time);
      this.lastEventUnixMs = (time + Number(reader.bootTimeUnixNs)) / 1e6;
      if (tree === this.tree) this.lastEventNs = time;
      tree.settle(time);
    }
    const names = Buffer.concat([this.#ids.encode(), addresses?.encode() ?? NOTHING]);
    const enriched = { reader, positions, actors, mapped, table: this.#table, names };
    const { outputBytesMax: bytesMax } = this.#options;
    const outputs = writeOutputs({ ...enriched, keeps }, bytesMax);
    const only = (some: readonly boolean[]) =>
      some.includes(true) ? writeOutputs({ ...enriched, keeps: some }, bytesMax) : [];
    const taken = { outputs, tapped: only(taps), facts: only(facts), ...(late.actors.size > 0 && { late }) };
    this.#count(length, taken);
    return taken;
  }

  #count(length: number, { outputs, tapped, facts }: { [kind in "outputs" | "tapped" | "facts"]: Output[] }): void {
    const eventsIn = (some: readonly Output[]) => some.reduce((sum, { events }) => sum + events, 0);
    const eventsOut = eventsIn(outputs);
    this.counts.batches++;
    this.counts.eventsIn += length;
    this.counts.eventsOut += eventsOut;
    this.counts.eventsFiltered += length - eventsOut;
    this.counts.eventsTapped += eventsIn(tapped);
    this.counts.eventsFacts += eventsIn(facts);
    this.counts.outputsSplit += outputs.length - 1;
    for (const output of outputs) this.counts.ancestorsLost += output.ancestorsLost;
  }

  /** Whether an exec or a library is of a file that is still being read. */
  #isFileUnknown({ type, failed, keys, dataStart, dataEnd }: EventHeader, bytes: Uint8Array): boolean {
    const { executables } = this.#context;
    if (failed || (type !== TYPE_EXEC && type !== TYPE_LIBRARY)) return false;
    const key = keys?.executable ?? executables.keyOfLibrary(bytes.subarray(dataStart, dataEnd));
    const row = executables.lookup(key);
    return key !== "" && (row === undefined || row.isPartial);
  }

  #isWanted(type: number): boolean {
    return this.#interest === undefined || this.#interest.has(type) || this.#tapped.has(type);
  }

  /** The boot that a source is of; undefined when it is this one. */
  #foreignBoot(source: string): string | undefined {
    const bootId = source.slice(0, BOOT_ID_DIGITS);
    return bootId === this.#options.bootId ? undefined : bootId;
  }

  /** What is known of the boot a source is of; undefined when it is this one. */
  #foreignOf(source: string): Foreign | undefined {
    const bootId = this.#foreignBoot(source);
    if (bootId === undefined) return undefined;
    const { limits, elsewhere = NO_CONTEXT } = this.#options;
    const foreign = this.#foreign.get(bootId) ?? {
      tree: new ProcessTree(undefined, limits),
      names: new SeededNames(),
      addresses: new AddressNames(),
      context: seededContext(elsewhere),
    };
    this.#foreign.delete(bootId);
    this.#foreign.set(bootId, foreign);
    for (const oldest of this.#foreign.keys()) {
      if (this.#foreign.size <= FOREIGN_BOOTS_MAX) break;
      this.#foreign.delete(oldest);
    }
    return foreign;
  }
}

function isAsked(users: Partial<UsersSource>): users is UsersSource {
  return users.ask !== undefined;
}

const BOOT_ID_DIGITS = 32;
const NOTHING = new Uint8Array(0);
