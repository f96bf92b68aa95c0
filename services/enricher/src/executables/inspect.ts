// Reads a file that an event named: its digest, what its headers say. Runs in a thread, where waiting harms nobody.

import { createHash } from "node:crypto";
import { closeSync, fstatSync } from "node:fs";
import { type ElfFacts, readElf } from "./elf.ts";
import { type NamedFile, type OpenFailure, openNamed, readAt } from "./file.ts";
import type { Throttle } from "./throttle.ts";

/** Files up to this size are read at once; larger ones by another thread, so that nobody waits behind them. */
export const SMALL_BYTES_MAX = 16 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** A file changed less than this before it was read may change again without another time: a tick is 10 ms at most. */
const TICK_NS = 20_000_000n;
/** On file systems that know only seconds (FAT two of them). */
const COARSE_TICK_NS = 2_100_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/** What is to be read. */
export interface Limits {
  /** Larger files have no digest. */
  fileBytesMax: number;
}

/** Why there is no digest; "pending" where it is still to be made. */
export type Gap = OpenFailure | "too_large" | "pending";

/** What was found out about a file's contents. */
export interface Inspection {
  sha256?: Uint8Array;
  gap?: Gap;
  sizeBytes: number;
  attributesChanged: boolean;
  elf?: ElfFacts;
  /** Where its process's paths begin, "" for our own. */
  root: string;
  /** What was read holds for every later event of this identity. */
  isSettled: boolean;
  /** Still to be read, from this descriptor, which the receiver closes. */
  rest?: Digestible;
}

/** An open file and how it was when it was opened. */
export interface Digestible {
  fd: number;
  sizeBytes: number;
  modifiedNs: bigint;
}

/** The outcome of reading all of a file. */
export type Digested = Pick<Inspection, "sha256" | "gap">;

const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** Opens the file and reads it, all of it where it is small. `peer` is another process of its mount namespace, or 0. */
export function inspect(file: NamedFile, peer: number, limits: Limits, throttle: Throttle): Inspection {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const opened = openNamed(file, peer);
  if (typeof opened === "string") {
    return { gap: opened, sizeBytes: 0, attributesChanged: false, root: "", isSettled: false };
  }
  const { fd, sizeBytes, isChanged: attributesChanged, changedNs, modifiedNs, root } = opened;
  const tick = changedNs % NS_PER_SECOND === 0n ? COARSE_TICK_NS : TICK_NS;
  const isSettled = !attributesChanged && nowNs > changedNs + tick;
  const common = { sizeBytes, attributesChanged, root, isSettled };
  const rest = { fd, sizeBytes, modifiedNs };
  let isHandedOn = false;
  try {
    const elf = readElf((offset, length) => Buffer.from(readAt(fd, buffer, offset, Math.min(length, CHUNK_BYTES))));
    const known = { ...common, ...(elf && { elf }) };
    if (sizeBytes > limits.fileBytesMax) return { ...known, gap: "too_large" };
    isHandedOn = sizeBytes > SMALL_BYTES_MAX;
    if (isHandedOn) return { ...known, gap: "pending", rest };
    return { ...known, ...digest(rest, throttle) };
  } catch {
    // Offsets beyond what reads, or a disk that fails.
    return { ...common, gap: "unreadable" };
  } finally {
    if (!isHandedOn) closeSync(fd);
  }
}

/** The digest of all that was there when the file was opened; none where it changed meanwhile. Never throws. */
export function digest({ fd, sizeBytes, modifiedNs }: Digestible, throttle: Throttle): Digested {
  try {
    const hash = createHash("sha256");
    let offset = 0;
    for (;;) {
      throttle.take(Math.min(CHUNK_BYTES, sizeBytes - offset + 1));
      const chunk = readAt(fd, buffer, offset, CHUNK_BYTES);
      offset += chunk.length;
      if (chunk.length === 0 || offset > sizeBytes) break;
      hash.update(chunk);
      if (chunk.length < CHUNK_BYTES) break;
    }
    const after = fstatSync(fd, { bigint: true });
    const isSame = offset === sizeBytes && after.size === BigInt(sizeBytes) && after.mtimeNs === modifiedNs;
    if (!isSame) return { gap: "changed" };
    return { sha256: new Uint8Array(hash.digest()) };
  } catch {
    return { gap: "unreadable" };
  }
}
