// The probe: opens the kernel's side, hands over batches, and gives the ring back as they become safe.
import { type DropReason, eventTypes } from "@nightjar/proto";
import { errnoName, ProbeError, toProbeError } from "./errors.ts";
import { loadAddon, type NativeProbe, objectPath } from "./native.ts";

/** The ring: a power of two, at least one page; 8 MiB rides out 1.5 s of a stalled reader at 100,000 opens a second. */
export const RING_BYTES_DEFAULT = 8 * 1024 * 1024;
const RING_BYTES_MIN = 64 * 1024;
const RING_BYTES_MAX = 1024 * 1024 * 1024;
/** An event waits at most this long for others to share its batch. */
const FLUSH_DELAY_MS_DEFAULT = 10;
/** Batches handed over and not yet released; at this many the ring is left to fill: back-pressure. */
const BATCHES_IN_FLIGHT_MAX = 64;
/** How long stopping may take while releases are awaited. */
const STOP_MS_DEFAULT = 5_000;

/** The bits of `enum open_interest` in bpf/shared.h. */
const OPEN_READS = 1;
const OPEN_WRITES = 2;
const OPEN_FAILURES = 4;

export interface ProbeOptions {
  /** Called for each batch, an encoded nightjar.event.v1.Batch that covers [firstPosition, nextPosition). */
  onBatch: (bytes: Uint8Array, firstPosition: bigint, nextPosition: bigint, events: number) => void;
  /** Called when reading ends by itself, which is a bug: programs and addon do not agree. Thrown when left out. */
  onError?: (error: Error) => void;
  /** The event types wanted from the beginning, by id; all by default. */
  wanted?: readonly number[];
  ringBytes?: number;
  flushDelayMs?: number;
  batchesInFlightMax?: number;
}

/** Which opens are wanted at all. */
export interface OpenInterest {
  reads: boolean;
  /** For writing, creating or truncating. */
  writes: boolean;
  failures: boolean;
}

/** One event type's counters, cumulative: seen = filtered + submitted + the sum of drops. */
export interface Ledger {
  type: number;
  seen: bigint;
  filtered: bigint;
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
function attach(native: NativeProbe): Attachment[] {
  const answers = native.attach();
  const refused = answers.find(({ errno }) => errno !== 0);
  if (refused && answers.every(({ errno }) => errno !== 0)) {
    native.close();
    const { program, point, errno } = refused;
    const message = `failed loading ebpf skeleton: no program could be attached: ${errnoName(errno)}`;
    throw new ProbeError(message, errnoName(errno), errno, `${program} at ${point}`);
  }
  return answers.map(({ program, point, errno }) => ({
    program,
    point,
    attached: errno === 0,
    ...(errno === 0 ? {} : { code: errnoName(errno) }),
  }));
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
  readonly #own = new Map<number, bigint>();
  #finalLedger: Ledger[] | undefined;
  #stopped: Promise<{ unreadBytes: number }>;
  #isStopping = false;

  /** Use openProbe. */
  constructor(native: NativeProbe, options: ProbeOptions, ringBytes: number) {
    this.#native = native;
    this.ringBytes = ringBytes;
    this.epoch = native.epoch();
    this.bootId = native.bootId();
    this.setWanted(options.wanted ?? eventTypes.map(({ id }) => id));
    this.setOpenInterest({ reads: true, writes: true, failures: true });
    this.attachments = attach(native);
    this.#stopped = this.#start(options);
  }

  /**
   * Everything before `position` is safe elsewhere, and the kernel may overwrite it. Takes the nextPosition of a batch;
   * all batches before it are released too. Throws on a position at which no batch ends, which is a bug.
   */
  release(position: bigint): void {
    if (!this.#native.release(position)) throw new RangeError(`no batch ends at ${position}`);
  }

  /** The kernel's counters of every event type, cumulative since the probe was opened. */
  ledger(): Ledger[] {
    return this.#finalLedger ?? this.#readLedger();
  }

  /** Bytes of the ring that are written and not released. */
  ringUsed(): number {
    return this.#native.ringUsed();
  }

  /**
   * The event types that someone wants, by id. Others are counted as filtered where the kernel runs the program anyway;
   * a system call that only they would report is not looked at.
   */
  setWanted(types: readonly number[]): void {
    const unknown = types.find((id) => !eventTypes.some((type) => type.id === id));
    if (unknown !== undefined) throw new RangeError(`there is no event type ${unknown}`);
    this.#native.setWanted(types);
  }

  /** Which opens are wanted; all at first. */
  setOpenInterest({ reads, writes, failures }: OpenInterest): void {
    const bits = (reads ? OPEN_READS : 0) | (writes ? OPEN_WRITES : 0) | (failures ? OPEN_FAILURES : 0);
    this.#native.setOpenInterest(bits);
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
  async stop({ timeoutMs = STOP_MS_DEFAULT }: { timeoutMs?: number } = {}): Promise<{ unreadBytes: number }> {
    if (!this.#isStopping) this.#native.stop(timeoutMs);
    this.#isStopping = true;
    return this.#stopped;
  }

  #start({ onBatch, onError }: ProbeOptions): Promise<{ unreadBytes: number }> {
    return new Promise((resolve) => {
      this.#native.start((bytes, first, next, events) => {
        if (bytes) return onBatch(bytes, first as bigint, next as bigint, events as number);
        this.#finalLedger = this.#readLedger();
        this.#native.close();
        resolve({ unreadBytes: next as number });
        if (first === "") return;
        const error = new Error(`the probe stopped reading: ${first}`);
        if (!onError) throw error;
        onError(error);
      });
    });
  }

  #readLedger(): Ledger[] {
    return this.#native.ledger().map(({ drops, ...row }) => ({
      ...row,
      drops: new Map(drops.map((count, reason) => [reason as DropReason, count] as const).filter(([, n]) => n > 0n)),
    }));
  }
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${name} is ${value}, allowed are ${min} to ${max}`);
}

/**
 * Loads the kernel programs, starts reading, attaches. Batches come on the event loop, which the probe keeps alive
 * until it is stopped. Throws ProbeError where the kernel refuses, RangeError on options out of range.
 */
export function openProbe(options: ProbeOptions): Probe {
  const ringBytes = options.ringBytes ?? RING_BYTES_DEFAULT;
  const flushDelayMs = options.flushDelayMs ?? FLUSH_DELAY_MS_DEFAULT;
  const batchesInFlightMax = options.batchesInFlightMax ?? BATCHES_IN_FLIGHT_MAX;
  checkRange("ringBytes", ringBytes, RING_BYTES_MIN, RING_BYTES_MAX);
  if ((ringBytes & (ringBytes - 1)) !== 0) throw new RangeError(`ringBytes is ${ringBytes}, which is no power of two`);
  checkRange("flushDelayMs", flushDelayMs, 1, 1_000);
  checkRange("batchesInFlightMax", batchesInFlightMax, 1, 65_536);

  let addon: ReturnType<typeof loadAddon>;
  try {
    addon = loadAddon();
  } catch (error) {
    const why = (error as Error).message;
    throw new ProbeError(
      "failed loading ebpf skeleton: the addon is not built or lacks a library",
      "PROBE_NOT_BUILT",
      0,
      why,
    );
  }
  try {
    const native = new addon.Probe(objectPath, ringBytes, flushDelayMs, batchesInFlightMax);
    return new Probe(native, options, ringBytes);
  } catch (error) {
    throw error instanceof ProbeError ? error : toProbeError(error);
  }
}
