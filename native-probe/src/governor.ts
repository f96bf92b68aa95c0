// What the governor may give up of each event type, as bpf/shared.h names it, and the paths that it gives up last.
import { create } from "@bufbuild/protobuf";
import { EVERY_CLASS, PathInterestSchema, type TypeInterest, TypeInterestSchema } from "@nightjar/proto";
import { FILTER } from "./filters.ts";

/** `enum governed` of bpf/shared.h, which says what each means; a test compares them. */
export const GOVERNED = {
  ALL: 1,
  WANTED: 2,
  SAMPLED: 4,
  FOLDED: 8,
  NOISY_READS: 16,
  READS: 32,
  ELSEWHERE: 64,
} as const;

/** One of so many is told of what is sampled. */
export const GOVERNED_SAMPLE = 16;
/** A program that opens more files than this in a second is one of the noisiest. */
export const GOVERNED_READS_PER_S = 50;

/** Bits of GOVERNED by event type; nothing of a type that is not there is given up. */
export type Governed = ReadonlyMap<number, number>;

/** A byte an event type, by its id. */
export function governedBytes(governed: Governed): Uint8Array {
  const bytes = new Uint8Array(FILTER.EVENT_TYPE_IDS_MAX);
  for (const [type, bits] of governed) bytes[type] = bits;
  return bytes;
}

/**
 * The sensitive paths as the kernel looks them up: in the place of an event type that there is not. A path that ends
 * with a slash is all that lies below it; one without any slash is a file of that name anywhere.
 */
export function sensitiveInterest(paths: readonly string[]): TypeInterest {
  return create(TypeInterestSchema, {
    eventType: FILTER_SENSITIVE,
    paths: paths.map((path) => create(PathInterestSchema, { classes: EVERY_CLASS, ...placeOf(path) })),
  });
}

/** FILTER_SENSITIVE of bpf/shared.h. */
export const FILTER_SENSITIVE = FILTER.EVENT_TYPE_IDS_MAX - 1;

function placeOf(path: string): { begin: string } | { leaf: string } | { whole: string } {
  if (path.endsWith("/")) return { begin: path };
  return path.includes("/") ? { whole: path } : { leaf: path };
}
