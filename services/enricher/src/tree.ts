// The tree of processes, as the kernel's events and /proc tell it. A pure data structure: whoever owns it does the I/O.
import { ProcessOrigin } from "@nightjar/proto";
import { chooseVictims } from "./evict.ts";
import { isFollowed, isOfThread, withChange } from "./follow.ts";
import { Image, latin1Of, ProcessNode } from "./node.ts";
import {
  type EventHeader,
  isSameMoment,
  type Moment,
  momentOf,
  NANOSECONDS_PER_TICK,
  TYPE_EXEC,
  TYPE_EXIT,
  TYPE_FORK,
  TYPE_PRCTL,
  toNanoseconds,
  toTicks,
} from "./scan.ts";
import type { SeedProcess } from "./snapshot.ts";

/** A process as /proc shows it. */
export interface ProcfsProcess {
  pid: number;
  parentPid: number;
  /** When it began, in clock ticks since boot: all that /proc tells of it. */
  startTicks: number;
  name: Uint8Array;
  uid: number;
  gid: number;
  /** An encoded Exec. */
  image: Uint8Array;
  /** Only the most important of it was read; the lookup tells the rest. */
  isBrief: boolean;
}

/** Looks for a process that runs now; undefined when there is none or looking is not worth it. */
export type ProcfsLookup = (pid: number) => ProcfsProcess | undefined;

export interface TreeLimits {
  /** Processes in the tree, those that exited included. Above it the exited go first, then those unheard of longest. */
  processes: number;
  /** Bytes of their images; the same happens. */
  imageBytes: number;
  /** Exited processes without children that are kept for what comes late. */
  exited: number;
  /** How long they are kept, in ns of the events' own clock. */
  exitedKeepNs: number;
  /** Length of a line of ancestors. Above it exited ancestors are taken out of the line when a process forks. */
  lineage: number;
}

/**
 * A process takes 660 B and its image, as `nightjar bench enrich` measures: 100,000 with images of 600 B take 126 MB,
 * and with images of any size no more than 150 MB.
 */
export const TREE_LIMITS: TreeLimits = {
  processes: 131_072,
  imageBytes: 76 * 1024 * 1024,
  exited: 16_384,
  exitedKeepNs: 30e9,
  lineage: 64,
};

/** What is cut at once when the tree is too large, as a part of it: cutting one by one would sort it each time. */
const EVICT_PART = 1 / 8;

export class ProcessTree {
  /** What happened that should not have to; counts since the tree was made. */
  readonly counts = {
    /** Events of processes the tree did not have. */
    unknownActors: 0,
    /** Processes of which only an event's header was known when they were made. */
    headerOnly: 0,
    /** Processes that ended without an exit event. */
    exitsMissed: 0,
    /** Processes that were cut because of the limits, and of them those that still ran. */
    evicted: 0,
    evictedAlive: 0,
    /** Exited ancestors taken out of a line that was too long. */
    ancestorsSpliced: 0,
  };
  size = 0;
  imageBytes = 0;
  readonly #limits: TreeLimits;
  readonly #lookup: ProcfsLookup;
  /** The latest process of each pid; earlier ones behind it as `older`. */
  readonly #byPid = new Map<number, ProcessNode>();
  /** Exited processes in the order of their exits, those before #lingeringFirst are done. */
  #lingering: ProcessNode[] = [];
  #lingeringFirst = 0;
  #batch = 0;

  constructor(lookup: ProcfsLookup = () => undefined, limits: TreeLimits = TREE_LIMITS) {
    this.#lookup = lookup;
    this.#limits = limits;
  }

  /** Takes in all processes that run; those the tree has already stay as they are. */
  load(processes: Iterable<ProcfsProcess>): void {
    const added: [ProcessNode, number][] = [];
    for (const process of processes) {
      const known = this.#byPid.get(process.pid);
      if (known && toTicks(known.start) === process.startTicks) continue;
      added.push([this.#adopt(process), process.parentPid]);
    }
    for (const [node, parentPid] of added) this.#link(node, this.#byPid.get(parentPid));
  }

  /** Takes in processes as another tree knew them; those this one has already stay as they are. */
  seed(processes: readonly SeedProcess[]): void {
    const nodes = processes.map((process) => this.find(process.pid, process.start) ?? this.#plant(process));
    for (const [index, { parent, exitTime }] of processes.entries()) {
      const node = nodes[index];
      if (node) this.#link(node, nodes[parent]);
      if (node && exitTime > 0) this.#exit(node, exitTime);
    }
  }

  /** Reads the rest of up to `max` processes of which only the most important is known; true when that was all. */
  complete(max: number): boolean {
    let left = max;
    for (const node of this) {
      if (!node.isBrief || node.exited) continue;
      if (left-- <= 0) return false;
      this.#complete(node);
    }
    return true;
  }

  /**
   * The process that runs with this pid and began in this clock tick, with all that /proc tells of it. One that began
   * before events came, and after the tree was read, is taken in.
   */
  running(pid: number, startTicks: number): ProcessNode | undefined {
    const known = this.#byPid.get(pid);
    if (known && !known.exited && toTicks(known.start) === startTicks) {
      if (known.isBrief) this.#complete(known);
      return known;
    }
    const found = this.#adoptAt(pid, momentOf(startTicks * NANOSECONDS_PER_TICK));
    if (found) this.#linkUp(found);
    return found;
  }

  /** The process with this identity, if the tree has it. */
  find(pid: number, start: Moment): ProcessNode | undefined {
    let node = this.#byPid.get(pid);
    while (node !== undefined && !isIt(node, start)) node = node.older;
    return node;
  }

  /**
   * The leader with this pid of a group or session that the process is in. Its pid is not given to another while
   * anybody is left in it, so the latest process of that pid is the one, unless it began when `member` was gone.
   */
  leader(member: ProcessNode, pid: number): ProcessNode | undefined {
    const latest = this.#byPid.get(pid);
    const isLater = latest !== undefined && member.exited && toNanoseconds(latest.start) > member.exitTime;
    return isLater ? undefined : latest;
  }

  /** Every process in the tree, in no order. */
  *[Symbol.iterator](): Generator<ProcessNode> {
    for (const latest of this.#byPid.values()) {
      for (let node: ProcessNode | undefined = latest; node; node = node.older) yield node;
    }
  }

  /**
   * Takes in an event and gives the process that acted, as it is then: of an exec, after it. `bytes` is what `event`
   * was scanned from. Undefined for the kernel itself (pid 0).
   */
  apply(event: EventHeader, bytes: Uint8Array): ProcessNode | undefined {
    if (event.pid === 0) return undefined;
    const known = this.#byPid.get(event.pid);
    const node = known !== undefined && isIt(known, event.start) ? known : this.#actor(event, bytes);
    node.lastSeen = this.#batch;
    if (node.isBrief) this.#complete(node);
    if (node.uid !== event.uid || node.gid !== event.gid) node.setIds(event.uid, event.gid);
    if (event.failed) return node;
    if (event.type === TYPE_EXEC) this.#exec(node, event, bytes);
    else if (event.type === TYPE_FORK) this.#fork(node, event, bytes);
    else if (event.type === TYPE_EXIT) this.#exit(node, toNanoseconds(event.time));
    else if (event.type === TYPE_PRCTL) node.setName(bytes, event.nameStart, event.nameEnd);
    else if (isFollowed(event.type)) this.#follow(node, event, bytes);
    return node;
  }

  /** Ends a batch: lets go of what exited long enough before `now` (ns of the events' clock) and holds the limits. */
  settle(now: number): void {
    this.#batch++;
    for (;;) {
      const oldest = this.#lingering[this.#lingeringFirst];
      if (oldest === undefined) break;
      const tooMany = this.#lingering.length - this.#lingeringFirst > this.#limits.exited;
      if (!tooMany && oldest.exitTime + this.#limits.exitedKeepNs > now) break;
      this.#lingeringFirst++;
      oldest.lingers = false;
      this.#dropIfUnneeded(oldest);
    }
    if (this.#lingeringFirst > this.#limits.exited) {
      this.#lingering = this.#lingering.slice(this.#lingeringFirst);
      this.#lingeringFirst = 0;
    }
    if (this.size > this.#limits.processes || this.imageBytes > this.#limits.imageBytes) this.#evict();
  }

  /**
   * Takes as ended those that are not among the processes that run, twice in a row: their exit events were lost. Of
   * those that are missed for the first time the events may be on their way. `now` is in ns of the events' clock.
   */
  reconcile(running: ReadonlySet<number>, now: number): void {
    for (const node of this.#byPid.values()) {
      const wasMissed = node.isMissed;
      node.isMissed = !running.has(node.pid);
      if (node.exited || !node.isMissed || !wasMissed) continue;
      this.counts.exitsMissed++;
      this.#exit(node, now);
    }
  }

  /** The actor of an event, made if the tree does not have it. */
  #actor(event: EventHeader, bytes: Uint8Array): ProcessNode {
    const known = this.find(event.pid, event.start);
    if (known) return known;
    this.counts.unknownActors++;
    // An exec tells all there is to know; for anything else /proc may still have it.
    const found = event.type === TYPE_EXEC ? undefined : this.#adoptAt(event.pid, event.start);
    const node = found ?? this.#fromHeader(event.pid, event.start);
    if (!found) node.name = latin1Of(bytes, event.nameStart, event.nameEnd);
    if (event.parentPid !== 0) this.#link(node, this.#ancestor(event.parentPid, event.parentStart));
    return node;
  }

  /** A parent that an event names: as known, as in /proc with its own ancestors, or its identity alone. */
  #ancestor(pid: number, start: Moment): ProcessNode {
    const known = this.find(pid, start);
    if (known) return known;
    const found = this.#adoptAt(pid, start);
    if (!found) return this.#fromHeader(pid, start);
    this.#linkUp(found);
    return found;
  }

  /** Links a process from /proc to its ancestors, those from /proc that the tree does not have. */
  #linkUp(found: ProcessNode): void {
    let child = found;
    for (let depth = 0; depth < this.#limits.lineage; depth++) {
      const parentPid = this.#parentPids.get(child);
      if (parentPid === undefined || parentPid === 0) break;
      const above = this.#byPid.get(parentPid);
      const parent = above && !above.exited ? above : this.#adoptAt(parentPid);
      this.#link(child, parent);
      if (parent === undefined || parent === above) break;
      child = parent;
    }
  }

  /** The parents, by pid, of processes from /proc until they are linked. */
  readonly #parentPids = new WeakMap<ProcessNode, number>();

  /** Takes a process from /proc; where `start` is given, only if it is that one. */
  #adoptAt(pid: number, start?: Moment): ProcessNode | undefined {
    const process = this.#lookup(pid);
    if (process === undefined || (start && process.startTicks !== toTicks(start))) return undefined;
    const node = this.#adopt(process);
    this.#parentPids.set(node, process.parentPid);
    if (start) isIt(node, start);
    return node;
  }

  #adopt(process: ProcfsProcess): ProcessNode {
    const start = momentOf(process.startTicks * NANOSECONDS_PER_TICK);
    const node = new ProcessNode(process.pid, start, false, ProcessOrigin.PROCFS);
    node.name = latin1Of(process.name);
    node.setIds(process.uid, process.gid);
    node.isBrief = process.isBrief;
    this.#setImage(node, new Image(process.image));
    this.#insert(node);
    return node;
  }

  #plant(process: SeedProcess): ProcessNode {
    const node = new ProcessNode(process.pid, process.start, process.startIsExact, process.origin);
    node.name = latin1Of(process.name);
    node.execTime.low = process.execTime.low;
    node.execTime.high = process.execTime.high;
    node.setIds(process.uid, process.gid);
    if (process.image) this.#setImage(node, new Image(process.image));
    this.#insert(node);
    return node;
  }

  /** Reads the rest of a process and of its ancestors, now that something speaks of it. */
  #complete(actor: ProcessNode): void {
    for (let node: ProcessNode | undefined = actor; node?.isBrief; node = node.parent) {
      const process = node.exited ? undefined : this.#lookup(node.pid);
      if (process === undefined || process.startTicks !== toTicks(node.start)) return;
      node.isBrief = false;
      node.uid = process.uid;
      node.gid = process.gid;
      this.#setImage(node, new Image(process.image));
    }
  }

  #fromHeader(pid: number, start: Moment): ProcessNode {
    this.counts.headerOnly++;
    const node = new ProcessNode(pid, start, true, ProcessOrigin.HEADER);
    this.#insert(node);
    return node;
  }

  #exec(node: ProcessNode, event: EventHeader, bytes: Uint8Array): void {
    node.name = latin1Of(bytes, event.nameStart, event.nameEnd);
    node.execTime.low = event.time.low;
    node.execTime.high = event.time.high;
    node.origin = ProcessOrigin.EVENT;
    node.isBrief = false;
    this.#setImage(node, new Image(bytes, event.dataStart, event.dataEnd));
  }

  #fork(actor: ProcessNode, event: EventHeader, bytes: Uint8Array): void {
    if (event.childPid === 0) return;
    actor.setName(bytes, event.nameStart, event.nameEnd);
    const known = this.find(event.childPid, event.childStart);
    const child = known ?? new ProcessNode(event.childPid, event.childStart, true, actor.origin);
    if (!known) this.#insert(child);
    // An event of the child came first and only its header was known, or it is new: it is as its parent is.
    if (child.image === undefined) {
      child.origin = actor.image ? ProcessOrigin.EVENT : ProcessOrigin.HEADER;
      child.name = actor.name;
      child.uid = event.uid;
      child.gid = event.gid;
      this.#setImage(child, actor.image);
    }
    child.lastSeen = this.#batch;
    const { childParentPid: parentPid, childParentStart } = event;
    const isActor = parentPid === 0 || (parentPid === actor.pid && isIt(actor, childParentStart));
    this.#link(child, isActor ? actor : this.#ancestor(parentPid, childParentStart));
    this.#shortenLineage(child);
  }

  /** An event that changes of a process what its exec told. Others that have the same image keep it. */
  #follow(actor: ProcessNode, event: EventHeader, bytes: Uint8Array): void {
    const isOfActor = event.targetPid === 0 || event.targetPid === event.pid;
    const node = isOfActor ? actor : this.find(event.targetPid, event.targetStart);
    if (!node?.image || (isOfThread(event.type) && event.tid !== event.pid)) return;
    const changed = withChange(node.image.exec, event.type, bytes, event.dataStart, event.dataEnd);
    this.#setImage(node, new Image(changed));
  }

  #exit(node: ProcessNode, time: number): void {
    if (node.exited) return;
    node.exited = true;
    node.exitTime = time;
    node.lingers = true;
    this.#lingering.push(node);
  }

  /** Makes `parent` the parent, unless there is one or that cannot be: parents begin first, and no line is a circle. */
  #link(node: ProcessNode, parent: ProcessNode | undefined): void {
    if (parent === undefined || node.parent !== undefined) return;
    if (toTicks(parent.start) > toTicks(node.start)) return;
    let above: ProcessNode | undefined = parent;
    for (let steps = 0; above && steps <= this.#limits.lineage; steps++) {
      if (above === node) return;
      above = above.parent;
    }
    node.parent = parent;
    parent.children++;
    // Its row names its parent.
    node.tableStamp = -1;
  }

  /**
   * A process that forks and exits, over and over, would make an endless line of dead ancestors: of a line that is too
   * long the dead one nearest to the root goes.
   */
  #shortenLineage(node: ProcessNode): void {
    let below: ProcessNode | undefined;
    let steps = 0;
    for (let child = node; child.parent && steps < this.#limits.lineage; child = child.parent) {
      steps++;
      if (child.parent.exited) below = child;
    }
    const gone = below?.parent;
    if (steps < this.#limits.lineage || below === undefined || gone === undefined) return;
    this.counts.ancestorsSpliced++;
    below.parent = gone.parent;
    if (gone.parent) gone.parent.children++;
    gone.children--;
    this.#dropIfUnneeded(gone);
  }

  #setImage(node: ProcessNode, image: Image | undefined): void {
    const before = node.image;
    node.setImage(image);
    if (image?.references === 1) this.imageBytes += image.fieldSize;
    if (before?.references === 0) this.imageBytes -= before.fieldSize;
  }

  /** Puts a process in the place its start gives it among those of its pid. */
  #insert(node: ProcessNode): void {
    this.size++;
    node.lastSeen = this.#batch;
    const latest = this.#byPid.get(node.pid);
    if (latest === undefined || toNanoseconds(latest.start) < toNanoseconds(node.start)) {
      node.older = latest;
      this.#byPid.set(node.pid, node);
      if (latest && !latest.exited) this.#missedExit(latest, node);
      return;
    }
    let later = latest;
    while (later.older && toNanoseconds(later.older.start) >= toNanoseconds(node.start)) later = later.older;
    node.older = later.older;
    later.older = node;
    this.#missedExit(node, later);
  }

  /** A pid has one process at a time: when the next one began, this one had ended. */
  #missedExit(node: ProcessNode, next: ProcessNode): void {
    this.counts.exitsMissed++;
    this.#exit(node, toNanoseconds(next.start));
  }

  #dropIfUnneeded(node: ProcessNode): void {
    let unneeded: ProcessNode | undefined = node;
    while (unneeded?.exited && !unneeded.lingers && unneeded.children === 0 && !unneeded.dropped) {
      const { parent }: ProcessNode = unneeded;
      this.#drop(unneeded);
      if (parent) parent.children--;
      unneeded = parent;
    }
  }

  #drop(node: ProcessNode): void {
    node.dropped = true;
    this.size--;
    this.#setImage(node, undefined);
    const latest = this.#byPid.get(node.pid);
    if (latest === node) {
      if (node.older) this.#byPid.set(node.pid, node.older);
      else this.#byPid.delete(node.pid);
      return;
    }
    for (let later = latest; later; later = later.older) {
      if (later.older !== node) continue;
      later.older = node.older;
      return;
    }
  }

  /** Cuts the tree down below its limits. Children of what goes become children of the nearest ancestor that stays. */
  #evict(): void {
    const count = Math.ceil(this.size * EVICT_PART);
    const victims = chooseVictims([...this], count);
    for (const node of this) {
      if (victims.has(node)) continue;
      let parent = node.parent;
      while (parent && victims.has(parent)) parent = parent.parent;
      if (parent && parent !== node.parent) parent.children++;
      node.parent = parent;
    }
    for (const node of victims) {
      if (node.parent && !victims.has(node.parent)) node.parent.children--;
      node.parent = undefined;
      this.counts.evicted++;
      if (!node.exited) this.counts.evictedAlive++;
      this.#drop(node);
    }
    this.#lingering = this.#lingering.slice(this.#lingeringFirst).filter((node) => !node.dropped);
    this.#lingeringFirst = 0;
  }
}

/** Whether this start is the node's. One that /proc told in ticks becomes exact when an event tells it. */
function isIt(node: ProcessNode, start: Moment): boolean {
  if (isSameMoment(node.start, start)) return true;
  if (node.startIsExact || toTicks(node.start) !== toTicks(start)) return false;
  node.start.low = start.low;
  node.start.high = start.high;
  node.startIsExact = true;
  node.changed();
  return true;
}
