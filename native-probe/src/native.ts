// The addon as it is: what binding.cc offers, untouched by policy.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const buildFolder = join(import.meta.dirname, "..", "build");
/** A bundle has both files beside itself. */
const isBundled = existsSync(join(import.meta.dirname, "nightjar.bpf.o"));

/** The object with the kernel programs. */
export const objectPath = join(isBundled ? import.meta.dirname : buildFolder, "nightjar.bpf.o");
const addonPath = join(isBundled ? import.meta.dirname : join(buildFolder, "Release"), "nightjar_probe.node");

/** Called with a batch, and once at the end with (null, failure, unread bytes). */
export type Deliver = (
  bytes: Uint8Array | null,
  firstOrFailure: bigint | string,
  nextOrUnread: bigint | number,
  events?: number,
) => void;

export interface NativeLedgerRow {
  type: number;
  seen: bigint;
  filtered: bigint;
  submitted: bigint;
  /** By drop reason. */
  drops: bigint[];
}

export interface NativeProbe {
  attach(): { program: string; point: string; errno: number }[];
  start(deliver: Deliver): void;
  release(position: bigint): boolean;
  ledger(): NativeLedgerRow[];
  epoch(): bigint;
  bootId(): Uint8Array;
  ringUsed(): number;
  /** Both return 0 or an errno. */
  addOwnProcess(pid: number, startTicks: bigint): number;
  removeOwnProcess(pid: number): number;
  setWanted(types: readonly number[]): void;
  setOpenInterest(bits: number): void;
  stop(limitMs: number): void;
  close(): void;
}

interface Addon {
  Probe: new (objectPath: string, ringBytes: number, flushDelayMs: number, batchesInFlightMax: number) => NativeProbe;
}

/** Throws where the addon was not built or its libraries are missing. */
export function loadAddon(): Addon {
  return createRequire(import.meta.url)(addonPath) as Addon;
}
