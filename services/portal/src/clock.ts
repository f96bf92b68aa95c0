// Time as the store keeps it: nanoseconds since 1970, in a signed 64-bit number.
import { create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";

/** Milliseconds since 1970; given by tests where time matters. */
export type Clock = () => number;

const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;

export function nsOfMs(ms: number): bigint {
  return BigInt(Math.trunc(ms)) * NS_PER_MS;
}

export function msOfNs(ns: bigint): number {
  return Number(ns / NS_PER_MS);
}

export function nsOfTimestamp(time: Timestamp): bigint {
  return time.seconds * NS_PER_S + BigInt(time.nanos);
}

export function timestampOfNs(ns: bigint): Timestamp {
  return create(TimestampSchema, { seconds: ns / NS_PER_S, nanos: Number(ns % NS_PER_S) });
}
