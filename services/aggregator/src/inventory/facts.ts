// Takes events into the inventory: what is known already costs a look at its bytes, what is new is decoded.
import { type BatchReader, eventOf, FieldCursor, WIRE_BYTES, WIRE_VARINT } from "@nightjar/events";
import { BpfObjectType, type Event, EventSchema, eventTypes, type Library, Replacement } from "@nightjar/proto";
import type { Catalogue, Entry, When } from "./catalogue.ts";
import { isComplete, type SeenFile, seeFile, seeProgram } from "./files.ts";
import { latin1 } from "./identity.ts";
import { seeBpfProgram, seeModule } from "./kernel.ts";
import { RowKeys } from "./keys.ts";
import { Peers, seePort } from "./network.ts";
import type { Processes } from "./processes.ts";
import { type Actor, Rows } from "./rows.ts";

const EVENT = EventSchema.field;
const TYPE_MIN = Math.min(...eventTypes.map(({ id }) => id));
/** Programs that are known by their rows' bytes; when there are more, all are read anew. */
const KNOWN_MAX = 16_384;
const NS_PER_MS = 1e6;
const SOCK_DGRAM = 2;
const SOCKET_TYPE_MASK = 0xf;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const EINPROGRESS = -115n;
/** BPF_PROG_LOAD of bpf(2). */
const PROG_LOAD = 5;

interface KnownProgram {
  program: Entry;
  file: Entry;
  container: Entry | undefined;
}

export interface FactsOptions {
  catalogue: Catalogue;
  processes: Processes;
  /** Who began to run something: what it loads is to be looked at. */
  began: (pid: number) => void;
  /** The inode number of the network namespace that is told as 0. */
  hostNetworkNamespace: number;
}

export class Facts {
  readonly #options: FactsOptions;
  readonly #peers: Peers;
  readonly #known = new Map<string, KnownProgram>();
  readonly #files = new Map<string, Entry>();
  readonly #cursor = new FieldCursor();
  /** Of the event that is being taken. */
  readonly #event = { type: 0, pid: 0, startNs: 0, timeNs: 0, dataStart: 0, dataEnd: 0, isFailed: false };

  constructor(options: FactsOptions) {
    this.#options = options;
    this.#peers = new Peers(options.catalogue);
  }

  /**
   * Takes in the events of a batch.
   * @throws WireError where it is no message.
   */
  take(batch: BatchReader): void {
    this.#options.processes.bootTimeUnixNs = batch.bootTimeUnixNs;
    const bootMs = Number(batch.bootTimeUnixNs) / NS_PER_MS;
    const part = { batch, rows: new Rows(batch), keys: new RowKeys(batch) };
    for (let index = 0; index < batch.length; index++) {
      this.#read(batch, index);
      const at = { ms: Math.round(bootMs + this.#event.timeNs / NS_PER_MS), times: 1 };
      if (this.#event.type === EVENT.exec.number) this.#exec(part, index, at);
      else if (this.#event.type === EVENT.library.number) this.#library(part, index, at);
      else TAKES.get(this.#event.type)?.(this, { part, index, at });
    }
  }

  /** The program of the process in a row, brought up to date; undefined where nothing is known of it. */
  program({ rows, keys }: Part, row: number, at: When): KnownProgram | undefined {
    const key = keys.of(row);
    if (key === "") return undefined;
    const { catalogue } = this.#options;
    const known = this.#known.get(key);
    if (known && catalogue.get(known.program.id) === known.program && catalogue.get(known.file.id) === known.file) {
      catalogue.touch(known.program, at);
      catalogue.touch(known.file, at);
      return known;
    }
    const actor = rows.actor(row);
    if (!actor) return undefined;
    const found = seeProgram(catalogue, actor, at);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  /** A file was mapped: the acting process has it. What is known already is not decoded. */
  #library(part: Part, index: number, at: When): void {
    const { dataStart, dataEnd, isFailed, pid } = this.#event;
    if (isFailed) return;
    const { catalogue, processes, began } = this.#options;
    const { batch, keys, rows } = part;
    const key = keys.ofFile(dataStart, dataEnd, batch.actor(index), batch.mapped(index));
    const known = this.#files.get(key);
    if (known && catalogue.get(known.id) === known) {
      catalogue.touch(known, at);
      processes.loaded(this.#identity, known.id);
      return;
    }
    const { data } = eventOf(batch, index);
    if (data.case !== "library") return;
    const file = this.#mapped({ part, index, at }, data.value, rows.actor(batch.actor(index)));
    processes.loaded(this.#identity, file.id);
    // Until all is known of it, it is read each time.
    if (!isComplete(file)) {
      began(pid);
      return;
    }
    if (this.#files.size >= KNOWN_MAX) this.#files.clear();
    this.#files.set(key, file);
  }

  #mapped({ part, index, at }: Sight, library: Library, actor: Actor | undefined): Entry {
    const contents = part.rows.executable(part.batch.mapped(index));
    const seen: SeenFile = {
      path: latin1(library.path),
      inode: library.inode,
      modifiedNs: library.modifiedTimeNs,
      ownerUid: library.ownerUid,
      fileMode: library.fileMode,
      upperLayer: library.upperLayer,
      fromMemfd: library.fromMemfd,
      replacement: library.unlinked ? Replacement.DELETED : Replacement.UNSPECIFIED,
      contents,
      use: "mapped",
    };
    return seeFile(this.#options.catalogue, seen, actor?.container, at);
  }

  /** A port that the acting process listens on. */
  listens(sight: Sight, end: { address: Uint8Array; port: number } | undefined, protocol: number): void {
    const row = sight.part.batch.actor(sight.index);
    if (!end || end.port === 0 || !this.#runs(sight, row)) return;
    const actor = sight.part.rows.actor(row);
    const namespace = actor?.process.image?.networkNamespace ?? 0;
    const networkNamespace = namespace === this.#options.hostNetworkNamespace ? 0 : namespace;
    const containerId = actor?.container?.fullId ?? "";
    const { address, port } = end;
    const seen = { protocol, address, port, networkNamespace, containerId };
    this.#options.processes.listens(this.#identity, seePort(this.#options.catalogue, seen, sight.at).id);
  }

  /** Where the acting process connected to. */
  connects(sight: Sight, end: { address: Uint8Array; port: number } | undefined, isDatagram: boolean): void {
    if (!end || end.address.length === 0) return;
    const { batch } = sight.part;
    const known = this.#runs(sight, batch.actor(sight.index));
    if (!known) return;
    const [name = ""] = batch.namesOf(end.address, this.#event.pid, this.#event.startNs);
    const protocol = isDatagram ? IPPROTO_UDP : IPPROTO_TCP;
    this.#peers.see(known.program, { protocol, address: end.address, port: end.port, name }, sight.at);
  }

  kernelModule(sight: Sight, seen: { name: string; taints?: bigint; path?: Uint8Array; loaded: boolean }): void {
    const loader = this.#runs(sight, sight.part.batch.actor(sight.index));
    const path = seen.path ? { path: new Uint8Array(seen.path) } : {};
    const more = loader && seen.loaded ? { loadedBy: loader.program.id } : {};
    seeModule(this.#options.catalogue, { ...seen, ...path, ...more }, sight.at);
  }

  bpfProgram(sight: Sight, seen: { id: number; name: string; type: number }): void {
    const { batch } = sight.part;
    const loadedBy = this.#runs(sight, batch.actor(sight.index))?.program;
    const bootId = Buffer.from(batch.bootId).toString("hex");
    seeBpfProgram(this.#options.catalogue, bootId, { ...seen, ...(loadedBy && { loadedBy }) }, sight.at);
  }

  get #identity() {
    return { pid: this.#event.pid, startNs: BigInt(this.#event.startNs) };
  }

  #exec(part: Part, index: number, at: When): void {
    const known = this.program(part, part.batch.actor(index), at);
    if (!known) return;
    this.#options.processes.executed(this.#identity, known.program, known.container);
    this.#options.began(this.#event.pid);
  }

  /** The program of whoever acts, which is followed from now on. */
  #runs({ part, at }: Sight, row: number): KnownProgram | undefined {
    const known = this.program(part, row, { ...at, times: 0 });
    if (known && !this.#options.processes.programOf(this.#identity))
      this.#options.processes.executed(this.#identity, known.program, known.container);
    return known;
  }

  #read(batch: BatchReader, index: number): void {
    const event = this.#event;
    event.type = event.pid = event.startNs = event.timeNs = 0;
    event.isFailed = false;
    const cursor = this.#cursor.enter(batch.bytes, batch.eventStart(index), batch.eventEnd(index));
    while (cursor.next()) {
      const { number, wireType } = cursor;
      if (number >= TYPE_MIN && wireType === WIRE_BYTES) {
        event.type = number;
        event.dataStart = cursor.start;
        event.dataEnd = cursor.end;
      } else if (wireType !== WIRE_VARINT) continue;
      else if (number === EVENT.timeNs.number) event.timeNs = cursor.uint();
      else if (number === EVENT.pid.number) event.pid = cursor.uint();
      else if (number === EVENT.startTimeNs.number) event.startNs = cursor.uint();
      // A negative number is one of the highest.
      else if (number === EVENT.result.number) event.isFailed = cursor.uint() > Number.MAX_SAFE_INTEGER;
    }
  }
}

interface Part {
  batch: BatchReader;
  rows: Rows;
  keys: RowKeys;
}

/** An event of a batch, and when it was. */
interface Sight {
  part: Part;
  index: number;
  at: When;
}

type Data<Case extends string> = Extract<Event["data"], { case: Case }>["value"];

/** Decodes the event, and goes on where it is of this type and did what it was to. */
function whole<Case extends NonNullable<Event["data"]["case"]>>(
  kind: Case,
  take: (facts: Facts, sight: Sight, data: Data<Case>) => void,
  allowed: readonly bigint[] = [],
): (facts: Facts, sight: Sight) => void {
  return (facts, sight) => {
    const { data, result } = eventOf(sight.part.batch, sight.index);
    if (data.case !== kind || (result < 0n && !allowed.includes(result))) return;
    take(facts, sight, data.value as Data<Case>);
  };
}

/** What is made of events, by the type's id. */
const TAKES: ReadonlyMap<number, (facts: Facts, sight: Sight) => void> = new Map([
  [
    EVENT.listen.number,
    whole("listen", (facts, sight, { descriptor }) => facts.listens(sight, descriptor?.local, IPPROTO_TCP)),
  ],
  [
    EVENT.bind.number,
    whole("bind", (facts, sight, { descriptor, requested }) => {
      if (((descriptor?.socketType ?? 0) & SOCKET_TYPE_MASK) !== SOCK_DGRAM) return;
      // A port that the kernel chose is a client's: nobody could know where to send to.
      if (descriptor?.local?.address.length && requested?.port) facts.listens(sight, descriptor.local, IPPROTO_UDP);
    }),
  ],
  [
    EVENT.connect.number,
    whole(
      "connect",
      (facts, sight, { remote, socketType }) =>
        facts.connects(sight, remote, (socketType & SOCKET_TYPE_MASK) === SOCK_DGRAM),
      [EINPROGRESS],
    ),
  ],
  [
    EVENT.moduleLoad.number,
    whole("moduleLoad", (facts, sight, { name, taints, descriptor }) => {
      if (name.length > 0)
        facts.kernelModule(sight, {
          name: latin1(name),
          taints,
          loaded: true,
          path: descriptor?.path ?? new Uint8Array(),
        });
    }),
  ],
  [
    EVENT.moduleUnload.number,
    whole("moduleUnload", (facts, sight, { name }) => {
      if (name.length > 0) facts.kernelModule(sight, { name: latin1(name), loaded: false });
    }),
  ],
  [
    EVENT.bpf.number,
    whole("bpf", (facts, sight, { command, object, objectId: id, name, programType: type }) => {
      if (command === PROG_LOAD && object === BpfObjectType.PROGRAM && id > 0)
        facts.bpfProgram(sight, { id, name: latin1(name), type });
    }),
  ],
]);
