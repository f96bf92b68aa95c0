// The processes that run, and what they make of the items: programs that run, what they loaded, ports somebody has.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type ProgramItem, type RunningProcess, RunningProcessSchema } from "@nightjar/proto";
import type { Catalogue, Entry } from "./catalogue.ts";
import type { ItemId } from "./identity.ts";

/** Processes that are followed; those beyond are in the counts of their programs alone. */
export const PROCESSES_MAX = 65_536;
/** Processes of a program, and files that it has loaded, that are told. */
export const PROCESSES_TOLD_MAX = 16;
export const LOADED_TOLD_MAX = 4_096;
/** /proc tells when a process began to a clock tick. */
const TICK_NS = 10_000_000n;
const NS_PER_MS = 1_000_000n;

export interface ProcessIdentity {
  pid: number;
  startNs: bigint;
}

interface Followed extends ProcessIdentity {
  program: Entry;
  container: Entry | undefined;
  /** Items of what it has loaded, and of the ports it listens on. */
  loaded: Set<ItemId>;
  listening: Set<ItemId>;
  wasLookedAt: boolean;
}

export interface ProcessesOptions {
  catalogue: Catalogue;
  /** How long a process has to live for its program to be told as running: else each start and end would be told. */
  settledMs: number;
}

export class Processes {
  readonly #options: ProcessesOptions;
  readonly #byPid = new Map<number, Followed>();
  readonly #ofProgram = new Map<Entry, Set<Followed>>();
  readonly #ofContainer = new Map<Entry, Set<Followed>>();
  readonly #ofPort = new Map<ItemId, Set<Followed>>();
  /** Programs to be brought up to date: their processes changed, or are still too young. */
  readonly #stale = new Set<Entry>();
  readonly #stalePorts = new Set<ItemId>();
  /** Wall clock minus CLOCK_BOOTTIME in ns, as the latest batch had it. */
  bootTimeUnixNs = 0n;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byPid.size;
  }

  /** The program that a process runs, where it is followed. */
  programOf(identity: ProcessIdentity): Entry | undefined {
    return this.#find(identity)?.program;
  }

  /** It runs this program now. */
  executed({ pid, startNs }: ProcessIdentity, program: Entry, container: Entry | undefined): void {
    const known = this.#byPid.get(pid);
    if (known && isSame(known.startNs, startNs) && known.program === program) return;
    if (known) this.#remove(known);
    if (this.#byPid.size >= PROCESSES_MAX) return;
    const followed = { pid, startNs, program, container, wasLookedAt: false };
    const added = { ...followed, loaded: new Set<ItemId>(), listening: new Set<ItemId>() };
    this.#byPid.set(pid, added);
    join(this.#ofProgram, program, added);
    if (container) join(this.#ofContainer, container, added);
    this.#stale.add(program);
  }

  loaded(identity: ProcessIdentity, file: ItemId): void {
    const process = this.#find(identity);
    if (!process || process.loaded.has(file)) return;
    process.loaded.add(file);
    this.#stale.add(process.program);
  }

  listens(identity: ProcessIdentity, port: ItemId): void {
    const process = this.#find(identity);
    if (process) this.#addPort(process, port);
  }

  /** All that it has loaded, and listens on, as was seen just now. */
  lookedAt(identity: ProcessIdentity, loaded: readonly ItemId[], listening: readonly ItemId[]): void {
    const process = this.#find(identity);
    if (!process) return;
    process.wasLookedAt = true;
    process.loaded = new Set(loaded);
    for (const port of process.listening) if (!listening.includes(port)) this.#takePort(process, port);
    for (const port of listening) this.#addPort(process, port);
    this.#stale.add(process.program);
  }

  /** Forgets all that are not among those that live; `before` began after the list was asked for. */
  live(pids: readonly number[], startsNs: readonly bigint[], askedAtNs: bigint): void {
    const starts = new Map(pids.map((pid, at) => [pid, startsNs[at] ?? 0n]));
    for (const process of this.#byPid.values()) {
      const start = starts.get(process.pid);
      const isThere = start !== undefined && isSame(start, process.startNs);
      if (!isThere && process.startNs < askedAtNs) this.#remove(process);
    }
  }

  /** Whether any process has what the item is. */
  isHeld({ item, id }: Entry): boolean {
    const { what } = item;
    if (what.case === "program") return what.value.running > 0;
    if (what.case === "port") return this.#ofPort.has(id);
    if (what.case === "container") return what.value.running > 0;
    return what.case === "root" || what.case === "package";
  }

  /** Everything that an earlier process of ours noted as running is looked at anew. */
  reconsider(): void {
    for (const entry of this.#options.catalogue) {
      const { case: kind, value } = entry.item.what;
      if (kind === "program" && value.running > 0) this.#stale.add(entry);
      if (kind === "port" && !value.closed) this.#stalePorts.add(entry.id);
      if (kind === "container") value.running = this.#ofContainer.get(entry)?.size ?? 0;
    }
  }

  /** Brings the items up to date. */
  refresh(nowMs: number): void {
    for (const program of this.#stale) if (!this.#refreshProgram(program, nowMs)) this.#stale.delete(program);
    for (const port of this.#stalePorts) this.#refreshPort(port);
    this.#stalePorts.clear();
    for (const [container, processes] of this.#ofContainer) this.#refreshContainer(container, processes.size);
  }

  /** The program's processes as they are now, those that are too young to be told with them. */
  runningOf(program: Entry): RunningProcess[] {
    return this.#sorted(program).map((process) => this.#tell(process));
  }

  #find({ pid, startNs }: ProcessIdentity): Followed | undefined {
    const known = this.#byPid.get(pid);
    return known && isSame(known.startNs, startNs) ? known : undefined;
  }

  #remove(process: Followed): void {
    this.#byPid.delete(process.pid);
    leave(this.#ofProgram, process.program, process);
    if (process.container) leave(this.#ofContainer, process.container, process);
    if (process.container && !this.#ofContainer.has(process.container)) this.#refreshContainer(process.container, 0);
    for (const port of process.listening) this.#takePort(process, port);
    this.#stale.add(process.program);
  }

  #addPort(process: Followed, port: ItemId): void {
    if (process.listening.has(port)) return;
    process.listening.add(port);
    join(this.#ofPort, port, process);
    this.#stalePorts.add(port);
    this.#stale.add(process.program);
  }

  #takePort(process: Followed, port: ItemId): void {
    process.listening.delete(port);
    leave(this.#ofPort, port, process);
    this.#stalePorts.add(port);
  }

  #sorted(program: Entry): Followed[] {
    const all = [...(this.#ofProgram.get(program) ?? [])];
    return all.sort((left, right) => (left.startNs < right.startNs ? -1 : 1));
  }

  #startedMs({ startNs }: Followed): number {
    return Number((this.bootTimeUnixNs + startNs) / NS_PER_MS);
  }

  #tell(process: Followed): RunningProcess {
    const { pid, startNs: startTimeNs } = process;
    return create(RunningProcessSchema, { pid, startTimeNs, startedAt: timestampFromMs(this.#startedMs(process)) });
  }

  /** Whether it is to be done again: some of its processes are too young. */
  #refreshProgram(program: Entry, nowMs: number): boolean {
    const { what } = program.item;
    if (what.case !== "program") return false;
    const all = this.#sorted(program);
    // What listens is told at once: who reaches it does not wait.
    const isOld = (one: Followed) => one.listening.size > 0 || nowMs - this.#startedMs(one) >= this.#options.settledMs;
    const settled = all.filter(isOld);
    if (updateProgram(what.value, this.#stateOf(what.value, all, settled))) this.#options.catalogue.change(program);
    return settled.length < all.length;
  }

  #stateOf(program: ProgramItem, all: readonly Followed[], settled: readonly Followed[]): ProgramState {
    const processes = settled.slice(0, PROCESSES_TOLD_MAX).map((process) => this.#tell(process));
    const [oldest] = settled;
    const since =
      program.running > 0 && program.runningSince ? timestampMs(program.runningSince) : Number.POSITIVE_INFINITY;
    const sinceMs = oldest ? Math.min(since, this.#startedMs(oldest)) : undefined;
    const sets = all.map(({ loaded }) => loaded);
    // Of processes that nobody has looked at, only what they loaded first in a long time is known.
    const known = all.some(({ wasLookedAt }) => wasLookedAt) ? sets : [...sets, new Set(program.loaded)];
    return {
      processes,
      running: settled.length,
      sinceMs,
      loaded: all.length > 0 ? unionOf(known) : undefined,
      listening: unionOf(settled.map(({ listening }) => listening)),
    };
  }

  #refreshPort(port: ItemId): void {
    const entry = this.#options.catalogue.get(port);
    if (entry?.item.what.case !== "port") return;
    const { value } = entry.item.what;
    const programs = [...new Set([...(this.#ofPort.get(port) ?? [])].map(({ program }) => program.id))].sort(byId);
    const closed = programs.length === 0;
    // Who had it last is still told of a port that is closed.
    if (closed === value.closed && (closed || isEqual(programs, value.programs))) return;
    value.closed = closed;
    if (!closed) value.programs = programs;
    this.#options.catalogue.change(entry);
  }

  #refreshContainer(container: Entry, running: number): void {
    const { what } = container.item;
    if (what.case !== "container" || what.value.running === running) return;
    const isNews = (what.value.running === 0) !== (running === 0);
    what.value.running = running;
    if (isNews) this.#options.catalogue.change(container);
  }
}

interface ProgramState {
  processes: RunningProcess[];
  running: number;
  sinceMs: number | undefined;
  /** Undefined where none runs. */
  loaded: ItemId[] | undefined;
  listening: ItemId[];
}

/** Whether it changed. */
function updateProgram(
  program: ProgramItem,
  { processes, running, sinceMs, loaded, listening }: ProgramState,
): boolean {
  const pids = (some: readonly RunningProcess[]) => some.map(({ pid, startTimeNs }) => `${pid}:${startTimeNs}`).join();
  const told = loaded?.slice(0, LOADED_TOLD_MAX) ?? program.loaded;
  const isSameState =
    program.running === running &&
    pids(program.processes) === pids(processes) &&
    isEqual(program.loaded, told) &&
    isEqual(program.listening, listening);
  if (isSameState) return false;
  Object.assign(program, { processes, running, listening, loaded: told });
  if (loaded) program.loadedOmitted = loaded.length - told.length;
  if (sinceMs === undefined) delete program.runningSince;
  else program.runningSince = timestampFromMs(sinceMs);
  return true;
}

function isSame(left: bigint, right: bigint): boolean {
  const apart = left - right;
  return apart < TICK_NS && apart > -TICK_NS;
}

function join<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}

function leave<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}

function unionOf(sets: readonly ReadonlySet<ItemId>[]): ItemId[] {
  const union = new Set<ItemId>();
  for (const set of sets) for (const id of set) union.add(id);
  return [...union].sort(byId);
}

function byId(left: ItemId, right: ItemId): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function isEqual(left: readonly ItemId[], right: readonly ItemId[]): boolean {
  return left.length === right.length && left.every((id, at) => id === right[at]);
}
