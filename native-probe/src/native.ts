// The addon as it is: what binding.cc offers, untouched by policy.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const buildFolder = join(import.meta.dirname, "..", "build");
/** A bundle has both files beside itself. */
const isBundled = existsSync(join(import.meta.dirname, "nightjar.bpf.o"));

/** The object with the kernel programs. */
export const objectPath = join(isBundled ? import.meta.dirname : buildFolder, "nightjar.bpf.o");
/** The addon, which was built together with it. */
export const addonPath = join(isBundled ? import.meta.dirname : join(buildFolder, "Release"), "nightjar_probe.node");

/** Called with a batch, and once at the end with (null, failure, unread bytes, unknown records). */
export type Deliver = (
  bytes: Uint8Array | null,
  firstOrFailure: bigint | string,
  nextOrUnread: bigint | number,
  eventsOrUnknown?: number,
) => void;

export interface NativeLedgerRow {
  type: number;
  seen: bigint;
  filtered: bigint;
  governed: bigint;
  folded: bigint;
  submitted: bigint;
  /** By drop reason. */
  drops: bigint[];
}

export interface NativeProbe {
  attach(): { program: string; point: string; errno: number }[];
  /** Throws with an errno. */
  pin(folder: string): void;
  setActive(active: boolean): void;
  /** Of what another version left: false where its programs have to be detached to stop. */
  switchOff(): boolean;
  ownProcesses(): [pid: number, startTicks: bigint][];
  start(deliver: Deliver): void;
  release(position: bigint): boolean;
  ledger(): NativeLedgerRow[];
  epoch(): bigint;
  bootId(): Uint8Array;
  ringBytes(): number;
  ringUsed(): number;
  ringWritten(): number;
  /** Both return 0 or an errno. */
  addOwnProcess(pid: number, startTicks: bigint): number;
  removeOwnProcess(pid: number): number;
  setWanted(types: readonly number[]): void;
  /** Rows of the maps as bpf/shared.h has them; returns 0 or an errno. */
  setFilters(filters: Uint8Array, screen: Uint8Array, keys: Uint8Array, paths: Uint8Array): number;
  setEnvironmentWanted(wanted: boolean): void;
  setMessageInterest(bits: number, dataBytes: number): void;
  setFoldWindow(seconds: number): void;
  /** A byte an event type, by its id: `enum governed` in bpf/shared.h. */
  setGoverned(bits: Uint8Array): void;
  setDnsPorts(ports: readonly number[]): void;
  stop(limitMs: number): void;
  leave(limitMs: number): void;
  close(): void;
}

export interface NativeOptions {
  /**
   * What becomes the probe: programs loaded from the object; those that are pinned, loaded from the same object before;
   * or the ring that another version's programs left pinned.
   */
  mode: "load" | "load leniently" | "take over" | "retire";
  object: string;
  /** Where system calls are seen; at the tracepoint where the kernel allows nothing else. */
  callsSeenAt: "tracepoint" | "functions";
  /** Where the pins are. */
  folder: string;
  epoch: bigint;
  ringBytes: number;
  flushDelayMs: number;
  batchesInFlightMax: number;
  readerGoneAfterS: number;
  types?: readonly number[];
}

interface Addon {
  Probe: new (options: NativeOptions) => NativeProbe;
  /** What the kernel offers, by trying; errno 0 where it does. */
  askKernel(): { name: string; errno: number }[];
}

/** Throws where the addon was not built or its libraries are missing. */
export function loadAddon(): Addon {
  return createRequire(import.meta.url)(addonPath) as Addon;
}
