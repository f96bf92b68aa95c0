// What the uplink remembers of an indicator, as bytes: when it was seen, its number in the queue, and the answer.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { hashOf } from "@nightjar/indicators";
import { Disposition, type Indicator, type Verdict, VerdictSchema } from "@nightjar/proto";

export interface Entry {
  /** Its indicator is always there; the disposition is UNSPECIFIED while the portal was never asked. */
  verdict: Verdict;
  /** Milliseconds since 1970. */
  seenAtMs: number;
  /** Of the answer; 0 for none. */
  answeredAtMs: number;
  /** Its number in the queue; 0 while it does not wait for the portal. */
  waiting: bigint;
}

/** How long an answer is good, in milliseconds. */
export interface TimesToLive {
  knownMs: number;
  unknownMs: number;
}

/** Three numbers of 64 bits before the verdict. */
const HEADER_BYTES = 24;
const HASH_DIGITS = 16;

export function newEntry(indicator: Indicator, nowMs: number): Entry {
  return { verdict: create(VerdictSchema, { indicator }), seenAtMs: nowMs, answeredAtMs: 0, waiting: 0n };
}

/** An answer that is too old, or from a clock that was put back since, is asked for again; so is one that is over. */
export function isFresh({ verdict, answeredAtMs }: Entry, nowMs: number, ttl: TimesToLive): boolean {
  if (answeredAtMs === 0) return false;
  const ageMs = nowMs - answeredAtMs;
  const goodMs = verdict.disposition === Disposition.UNKNOWN ? ttl.unknownMs : ttl.knownMs;
  if (ageMs < 0 || ageMs >= goodMs) return false;
  return verdict.expiresAt === undefined || timestampMs(verdict.expiresAt) > nowMs;
}

export function digitsOf(hash: bigint): string {
  return hash.toString(16).padStart(HASH_DIGITS, "0");
}

/** By which an entry is known. */
export function entryDigits({ verdict }: Entry): string {
  return digitsOf(hashOf(verdict.indicator!));
}

export function encodeEntry({ verdict, seenAtMs, answeredAtMs, waiting }: Entry): Uint8Array {
  const encoded = toBinary(VerdictSchema, verdict);
  const bytes = new Uint8Array(HEADER_BYTES + encoded.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(Math.trunc(seenAtMs)));
  view.setBigUint64(8, BigInt(Math.trunc(answeredAtMs)));
  view.setBigUint64(16, waiting);
  bytes.set(encoded, HEADER_BYTES);
  return bytes;
}

export function decodeEntry(bytes: Uint8Array): Entry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    seenAtMs: Number(view.getBigUint64(0)),
    answeredAtMs: Number(view.getBigUint64(8)),
    waiting: view.getBigUint64(16),
    verdict: fromBinary(VerdictSchema, bytes.subarray(HEADER_BYTES)),
  };
}
