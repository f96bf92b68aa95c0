// The probe: opens the kernel's side, hands over batches, and gives the ring back as they become safe.
import { randomBytes } from "node:crypto";
import { type DropReason, eventTypes, type TypeInterest, wholeType } from "@nightjar/proto";
import { errnoName, ProbeError, toProbeError } from "./errors.ts";
import { compileFilters, type FilterTables } from "./filters.ts";
import { FILTER_SENSITIVE, type Governed, governedBytes, sensitiveInterest } from "./governor.ts";
import { loadAddon, type NativeLedgerRow, type NativeOptions, type NativeProbe, objectPath } from "./native.ts";

/** The ring: a power of two, at least one page; 8 MiB rides out 1.5 s of a stalled reader at 100,000 opens a second. */
export const RING_BYTES_DEFAULT = 8 * 1024 * 1024;
const RING_BYTES_MIN = 64 * 1024;
const RING_BYTES_MAX = 1024 * 1024 * 1024;
/** An event waits at most this long for others to share its batch. */
const FLUSH_DELAY_MS_DEFAULT = 10;
/** Batches handed over and not yet released; at this many the ring is left to fill: back-pressure. */
const BATCHES_IN_FLIGHT_MAX = 64;
/** Who has not read for so long is gone, and the programs record nothing more for it. */
const READER_GONE_S_DEFAULT = 60;
const READER_GONE_S_MAX = 3_600;
/** How long stopping may take while releases are awaited. */
const STOP_MS_DEFAULT = 5_000;

/** The bits of `enum message_interest` in bpf/shared.h. */
const MESSAGES_TCP = 1;
const MESSAGES_DATAGRAM = 2;
const MESSAGES_UNIX = 4;
const MESSAGES_OTHER = 8;
/** MESSAGE_DATA_SIZE_MAX and DNS_PORTS_MAX there. */
const MESSAGE_DATA_BYTES_MAX = 4096;
const DNS_PORTS_MAX = 4;
const DNS_PORTS_DEFAULT = [53];
const PORT_MAX = 65_535;
/** What is folded is told once a key in so long. */
const FOLD_WINDOW_S_DEFAULT = 3_600;
const FOLD_WINDOW_S_MAX = 86_400;

export interface ProbeOptions {
  /**
   * Called for each batch, an encoded nightjar.event.v1.Batch that covers [firstPosition, nextPosition). The bytes hold
   * until the batch is released: another batch is written over them then.
   */
  onBatch: (bytes: Uint8Array, firstPosition: bigint, nextPosition: bigint, events: number) => void;
  /** Called when reading ends by itself, which is a bug: programs and addon do not agree. Thrown when left out. */
  onError?: (error: Error) => void;
  /** The event types wanted from the beginning, by id; all by default. */
  wanted?: readonly number[];
  /** Processes of the sensor, known before anything is written to maps that only the sensor may write to. */
  own?: readonly OwnProcess[];
  ringBytes?: number;
  flushDelayMs?: number;
  batchesInFlightMax?: number;
  /** After so long without a reader the programs only count. */
  readerGoneAfterS?: number;
  /**
   * The only event types whose system calls are looked at, by id; all by default. Fewer are loaded faster: the kernel
   * checks each program, which takes seconds for all of them.
   */
  types?: readonly number[];
  /**
   * Where system calls are seen: at the tracepoint that all pass when they return (the default), or, where the kernel
   * allows it, at the ends of the functions of those that events report.
   */
  callsSeenAt?: NativeOptions["callsSeenAt"];
  /** The object with the programs; the one built with the addon when left out. */
  objectPath?: string;
  /** For tests: takes the object as it is, though its records are not those of this version's messages. */
  playsAnotherVersion?: boolean;
}

/** How reading ended. */
export interface ReadEnd {
  /** Bytes of the ring that were not handed over. */
  unreadBytes: number;
  /** Records of another version that this one does not know. */
  unknownRecords: number;
  /** Empty, or why it ended by itself. */
  failure: string;
}

/** Which messages are wanted, by the socket they pass through, and how much of what they say. */
export interface MessageInterest {
  tcp: boolean;
  /** Over IP, but not TCP: UDP, ICMP, raw. */
  datagram: boolean;
  unix: boolean;
  /** netlink, packet and other sockets. */
  other: boolean;
  /** Bytes of data that an event carries, 0 to 4,096; none by default. */
  dataBytes?: number;
}

/** One event type's counters, cumulative: seen = filtered + governed + folded + submitted + the sum of drops. */
export interface Ledger {
  type: number;
  seen: bigint;
  filtered: bigint;
  governed: bigint;
  folded: bigint;
  submitted: bigint;
  /** Only the reasons that occurred. */
  drops: Map<DropReason, bigint>;
}

export interface Attachment {
  program: string;
  /** The attach point as libbpf names it, e.g. "tp_btf/sys_exit". */
  point: string;
  attached: boolean;
  /** The errno's name, where the kernel refused. */
  code?: string;
}

export interface OwnProcess {
  pid: number;
  /** When its leader started, in clock ticks since boot: field 22 of /proc/PID/stat. */
  startTicks: bigint;
}

/** Attaches what the kernel lets us; throws where it refuses everything. */
function attach(native: NativeProbe, refusals: readonly Attachment[]): Attachment[] {
  const answers = native.attach();
  const refused = answers.find(({ errno }) => errno !== 0);
  if (refused && answers.every(({ errno }) => errno !== 0)) {
    native.close();
    const { program, point, errno } = refused;
    const message = `failed loading ebpf skeleton: no program could be attached: ${errnoName(errno)}`;
    throw new ProbeError(message, errnoName(errno), errno, `${program} at ${point}`);
  }
  const codes = new Map(refusals.map(({ program, code }) => [program, code]));
  const told = answers.map(({ program, point, errno }) => ({
    program,
    point,
    attached: errno === 0,
    ...(errno === 0 ? {} : { code: codes.get(program) ?? errnoName(errno) }),
  }));
  const known = new Set(answers.map(({ program }) => program));
  // Functions of system calls are no programs of the object: only their refusals remember them.
  return [...refusals.filter(({ program }) => !known.has(program)), ...told];
}

export class Probe {
  /** Random, new with each ring: with the boot id and a position the identity of an event. */
  readonly epoch: bigint;
  /** The kernel's boot id, 16 bytes. */
  readonly bootId: Uint8Array;
  readonly ringBytes: number;
  /** What was attached and what was refused. */
  readonly attachments: readonly Attachment[];
  readonly #native: NativeProbe;
  readonly #options: ProbeOptions;
  readonly #own: Map<number, bigint>;
  #sensitive: TypeInterest = sensitiveInterest([]);
  #finalLedger: Ledger[] | undefined;
  #reading: Promise<ReadEnd> | undefined;
  #isStopping = false;
  #isLeaving = false;

  /** Use openProbe or openPinnedProbe. `refusals`: what the kernel refused when the programs were loaded. */
  constructor(native: NativeProbe, options: ProbeOptions, refusals: readonly Attachment[] = []) {
    this.#native = native;
    this.#options = options;
    this.ringBytes = native.ringBytes();
    this.epoch = native.epoch();
    this.bootId = native.bootId();
    // What was taken over knows those of the reader before.
    this.#own = new Map(native.ownProcesses());
    for (const process of options.own ?? []) this.addOwnProcess(process);
    this.setWanted(options.wanted ?? eventTypes.map(({ id }) => id));
    this.setMessageInterest({ tcp: true, datagram: true, unix: true, other: true });
    this.setFoldWindow(FOLD_WINDOW_S_DEFAULT);
    this.setDnsPorts(DNS_PORTS_DEFAULT);
    this.setGoverned(new Map());
    this.attachments = attach(native, refusals);
  }

  /** Tells the programs that someone is there, as reading does by itself. */
  beat(): void {
    this.#native.setActive(true);
  }

  /** Begins to hand over batches; openProbe has done so. */
  start(): void {
    this.#reading ??= read(this.#native, this.#options.onBatch).then((end) => {
      if (!this.#isLeaving) this.close();
      if (end.failure !== "") this.#fail(new Error(`the probe stopped reading: ${end.failure}`));
      return end;
    });
  }

  /**
   * Everything before `position` is safe elsewhere, and the kernel may overwrite it. Takes the nextPosition of a batch;
   * all batches before it are released too. Throws on a position at which no batch ends, which is a bug.
   */
  release(position: bigint): void {
    if (!this.#native.release(position)) throw new RangeError(`no batch ends at ${position}`);
  }

  /** The kernel's counters of every event type, cumulative since the ring began. */
  ledger(): Ledger[] {
    return this.#finalLedger ?? toLedger(this.#native.ledger());
  }

  /** Bytes of the ring that are written and not released. */
  ringUsed(): number {
    return this.#native.ringUsed();
  }

  /** Bytes that were ever written to the ring. */
  ringWritten(): number {
    return this.#native.ringWritten();
  }

  /**
   * What is wanted, by event type; everything at first. Other events are counted as filtered where the kernel runs the
   * program anyway; a system call that only types report which nobody wants is not looked at. Each event is judged by
   * what was wanted before or by what is wanted now, never by less than both. Returns the types of which everything is
   * wanted because the kernel has no room for what is asked of them.
   */
  setInterest(wanted: ReadonlyMap<number, TypeInterest>): { widened: readonly number[] } {
    const unknown = [...wanted.keys()].find((id) => !eventTypes.some((type) => type.id === id));
    if (unknown !== undefined) throw new RangeError(`there is no event type ${unknown}`);
    const { widened, ...tables } = compileFilters(new Map([...wanted, [FILTER_SENSITIVE, this.#sensitive]]));
    const refused = this.#setFilters(tables);
    if (refused) {
      const types = [...wanted.keys()];
      const error = this.#setFilters(compileFilters(new Map(types.map((id) => [id, wholeType(id)]))));
      if (error) throw error;
    }
    this.#native.setWanted([...wanted.keys()]);
    return { widened: refused ? [...wanted.keys()] : widened.filter((id) => id !== FILTER_SENSITIVE) };
  }

  #setFilters({ filters, screen, keys, paths }: Omit<FilterTables, "widened">): ProbeError | undefined {
    const errno = this.#native.setFilters(filters, screen, keys, paths);
    return errno === 0 ? undefined : new ProbeError("the filters cannot be set", errnoName(errno), errno, "");
  }

  /** The event types that are wanted whole, by id. */
  setWanted(types: readonly number[]): void {
    this.setInterest(new Map(types.map((id) => [id, wholeType(id)])));
  }

  /** Whether exec events carry the environment, cut at 4096 bytes. At first they only tell its length. */
  setEnvironmentWanted(wanted: boolean): void {
    this.#native.setEnvironmentWanted(wanted);
  }

  /** Which sent and received messages are wanted; all, but no data, at first. Throws RangeError on too much data. */
  setMessageInterest({ tcp, datagram, unix, other, dataBytes = 0 }: MessageInterest): void {
    checkRange("dataBytes", dataBytes, 0, MESSAGE_DATA_BYTES_MAX);
    const bits = (tcp ? MESSAGES_TCP : 0) | (datagram ? MESSAGES_DATAGRAM : 0);
    this.#native.setMessageInterest(bits | (unix ? MESSAGES_UNIX : 0) | (other ? MESSAGES_OTHER : 0), dataBytes);
  }

  /**
   * In how long a time one event is told of many that say the same, of libraries mapped and of what an interest wants
   * folded: an hour at first, at most a day; 0 folds nothing. Throws RangeError on more.
   */
  setFoldWindow(seconds: number): void {
    checkRange("the window of folding", seconds, 0, FOLD_WINDOW_S_MAX);
    this.#native.setFoldWindow(seconds);
  }

  /**
   * Paths at which writing is told to the last, from the next setInterest on; none at first. Where the kernel has no
   * room for them every path is one. See sensitiveInterest for their form.
   */
  setSensitivePaths(paths: readonly string[]): void {
    this.#sensitive = sensitiveInterest(paths);
  }

  /** What is given up of each event type although somebody wants it; counted as governed. Nothing at first. */
  setGoverned(governed: Governed): void {
    this.#native.setGoverned(governedBytes(governed));
  }

  /**
   * The ports at which DNS servers are: 53 at first; 5353 adds multicast DNS, 5355 LLMNR. At most 4; throws RangeError
   * on more, and on what is no port.
   */
  setDnsPorts(ports: readonly number[]): void {
    checkRange("the number of DNS ports", ports.length, 0, DNS_PORTS_MAX);
    for (const port of ports) checkRange("a DNS port", port, 1, PORT_MAX);
    this.#native.setDnsPorts(ports);
  }

  /**
   * The sensor's own processes, all of them: their opens and connects are filtered in the kernel, by pid and start
   * time; their exec, fork and exit are not. At most 256; throws when there are more.
   */
  setOwnProcesses(processes: readonly OwnProcess[]): void {
    const wanted = new Set(processes.map(({ pid }) => pid));
    for (const pid of this.#own.keys()) {
      if (!wanted.has(pid)) this.removeOwnProcess(pid);
    }
    for (const process of processes) this.addOwnProcess(process);
  }

  addOwnProcess({ pid, startTicks }: OwnProcess): void {
    if (this.#own.get(pid) === startTicks) return;
    const errno = this.#native.addOwnProcess(pid, startTicks);
    if (errno !== 0) throw new Error(`process ${pid} cannot be made one of the sensor's own: ${errnoName(errno)}`);
    this.#own.set(pid, startTicks);
  }

  removeOwnProcess(pid: number): void {
    this.#native.removeOwnProcess(pid);
    this.#own.delete(pid);
  }

  /**
   * Detaches, hands over what is in the ring, and ends. Batches must go on being released meanwhile; what is still
   * unread after `timeoutMs` is lost and in the answer. Afterwards only ledger() has something to say.
   */
  async stop({ timeoutMs = STOP_MS_DEFAULT }: { timeoutMs?: number } = {}): Promise<ReadEnd> {
    if (!this.#isStopping) this.#native.stop(timeoutMs);
    this.#isStopping = true;
    return this.#ended();
  }

  /**
   * Of a pinned probe: ends when what is in the ring by now is handed over, and leaves the programs to go on filling
   * it. Batches can still be released afterwards, until close().
   */
  async leave({ timeoutMs = STOP_MS_DEFAULT }: { timeoutMs?: number } = {}): Promise<ReadEnd> {
    if (!this.#isLeaving) this.#native.leave(timeoutMs);
    this.#isLeaving = true;
    return this.#ended();
  }

  /** Lets go of what stop() or leave() ended; only ledger() has something to say from now on. */
  close(): void {
    this.#finalLedger ??= toLedger(this.#native.ledger());
    this.#native.close();
  }

  #ended(): Promise<ReadEnd> {
    return this.#reading ?? Promise.resolve({ unreadBytes: 0, unknownRecords: 0, failure: "" });
  }

  #fail(error: Error): void {
    if (!this.#options.onError) throw error;
    this.#options.onError(error);
  }
}

export function toLedger(rows: readonly NativeLedgerRow[]): Ledger[] {
  return rows.map(({ drops, ...row }) => ({
    ...row,
    drops: new Map(drops.map((count, reason) => [reason as DropReason, count] as const).filter(([, n]) => n > 0n)),
  }));
}

/** Reads until it is told to end; resolves then. */
export function read(native: NativeProbe, onBatch: ProbeOptions["onBatch"]): Promise<ReadEnd> {
  return new Promise((resolve) => {
    native.start((bytes, first, next, count = 0) => {
      if (bytes) return onBatch(bytes, first as bigint, next as bigint, count);
      resolve({ failure: first as string, unreadBytes: next as number, unknownRecords: count });
    });
  });
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${name} is ${value}, allowed are ${min} to ${max}`);
}

function checked(options: ProbeOptions): Omit<NativeOptions, "mode" | "folder" | "epoch"> {
  const ringBytes = options.ringBytes ?? RING_BYTES_DEFAULT;
  const flushDelayMs = options.flushDelayMs ?? FLUSH_DELAY_MS_DEFAULT;
  const batchesInFlightMax = options.batchesInFlightMax ?? BATCHES_IN_FLIGHT_MAX;
  const readerGoneAfterS = options.readerGoneAfterS ?? READER_GONE_S_DEFAULT;
  checkRange("ringBytes", ringBytes, RING_BYTES_MIN, RING_BYTES_MAX);
  if ((ringBytes & (ringBytes - 1)) !== 0) throw new RangeError(`ringBytes is ${ringBytes}, which is no power of two`);
  checkRange("flushDelayMs", flushDelayMs, 1, 1_000);
  checkRange("batchesInFlightMax", batchesInFlightMax, 1, 65_536);
  checkRange("readerGoneAfterS", readerGoneAfterS, 1, READER_GONE_S_MAX);
  return {
    object: options.objectPath ?? objectPath,
    callsSeenAt: options.callsSeenAt ?? "tracepoint",
    ringBytes,
    flushDelayMs,
    batchesInFlightMax,
    readerGoneAfterS,
    ...(options.types && { types: options.types }),
  };
}

/** The addon's probe; throws ProbeError where the kernel refuses, RangeError on options out of range. */
export function openNative(
  options: ProbeOptions,
  how: Pick<NativeOptions, "mode"> & Partial<Pick<NativeOptions, "folder" | "epoch">>,
): NativeProbe {
  const values = checked(options);
  const mode = how.mode === "load" && options.playsAnotherVersion ? "load leniently" : how.mode;
  let addon: ReturnType<typeof loadAddon>;
  try {
    addon = loadAddon();
  } catch (error) {
    const message = "failed loading ebpf skeleton: the addon is not built or lacks a library";
    throw new ProbeError(message, "PROBE_NOT_BUILT", 0, (error as Error).message);
  }
  try {
    return new addon.Probe({ ...values, folder: "", epoch: randomBytes(8).readBigUInt64LE(), ...how, mode });
  } catch (error) {
    throw toProbeError(error);
  }
}

/**
 * Loads the kernel programs, attaches, starts reading. Batches come on the event loop, which the probe keeps alive
 * until it is stopped. Throws ProbeError where the kernel refuses, RangeError on options out of range.
 */
export function openProbe(options: ProbeOptions): Probe {
  const native = openNative(options, { mode: "load" });
  const probe = new Probe(native, options);
  native.setActive(true);
  probe.start();
  return probe;
}
