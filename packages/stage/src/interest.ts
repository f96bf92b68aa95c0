// What the readers of events want: what each holder of interest said last, and the union of it.
import { fromBinary } from "@bufbuild/protobuf";
import { unionOfInterests } from "@nightjar/events";
import { type Interest, InterestSchema, type TypeInterest } from "@nightjar/proto";
import { describeError } from "./log.ts";
import type { Stage } from "./stage.ts";
import { LEASED_INTEREST_SUBJECT, streamOf } from "./streams.ts";

const MS_PER_S = 1_000;
/** No lease is longer, so that one whose holder was killed does not make the host loud for long. */
export const LEASE_S_MAX = 60;
/** Leases at once; beyond, new ones are refused, and said. */
export const LEASES_MAX = 64;
const SUBJECT_PREFIX = "nightjar.interest.";
const LEASED_PREFIX = LEASED_INTEREST_SUBJECT.slice(0, -"*".length);

/** What is wanted of each event type, by its id; a type that is not there is not wanted. */
export type Wanted = ReadonlyMap<number, TypeInterest>;

export interface Holder {
  /** A stage's name, or of one that leases its interest `operator.<its own>`. */
  name: string;
  isLeased: boolean;
  interest: Interest;
}

interface Held extends Holder {
  bytes: Uint8Array;
  lease: NodeJS.Timeout | undefined;
}

/**
 * Calls `changed` with all holders of interest, each time one says something else than before, and when a lease is
 * over; never before the first has spoken. A value that cannot be read is said and passed over, and so is one that is
 * older than what its holder said last.
 */
export function followInterest(stage: Stage, changed: (holders: readonly Holder[]) => void): void {
  const held = new Map<string, Held>();
  const tell = () => changed([...held.values()]);
  const withdraw = (subject: string) => {
    clearTimeout(held.get(subject)?.lease);
    if (held.delete(subject)) tell();
  };
  const hear = (bytes: Uint8Array, subject: string) => {
    const interest = readable(stage, bytes, subject);
    const before = held.get(subject);
    if (!interest || (before && interest.revision < before.interest.revision)) return;
    const isLeased = subject.startsWith(LEASED_PREFIX);
    if (isLeased && interest.eventTypes.length === 0) return withdraw(subject);
    if (isLeased && !before && [...held.values()].filter((one) => one.isLeased).length >= LEASES_MAX) {
      stage.log.warn("there are too many leases of interest for another", { subject, leases: LEASES_MAX });
      return;
    }
    clearTimeout(before?.lease);
    const leaseS = isLeased ? Math.min(interest.leaseS || LEASE_S_MAX, LEASE_S_MAX) : 0;
    const lease = leaseS > 0 ? setTimeout(() => withdraw(subject), leaseS * MS_PER_S).unref() : undefined;
    held.set(subject, { name: subject.slice(SUBJECT_PREFIX.length), isLeased, interest, bytes, lease });
    if (!before || Buffer.compare(before.bytes, bytes) !== 0) tell();
  };
  stage.bus.follow("INTEREST", hear);
  stage.bus.listen(LEASED_INTEREST_SUBJECT, hear);
}

function readable(stage: Stage, bytes: Uint8Array, subject: string): Interest | undefined {
  try {
    return fromBinary(InterestSchema, bytes);
  } catch (error) {
    stage.log.warn("an interest that cannot be read is ignored", { subject, cause: describeError(error) });
    return undefined;
  }
}

/** The union of what holders want. */
export function wantedBy(holders: readonly Holder[]): Wanted {
  return unionOfInterests(holders.map(({ interest }) => interest));
}

/** Whether each stage that holds an interest has said which: until then it could want anything. */
export function haveStagesSpoken(holders: readonly Holder[]): boolean {
  return streamOf("INTEREST").writers.every((stage) => holders.some(({ name }) => name === stage));
}

/** What the readers of a stream of events want; undefined while one of them has not spoken. */
export function wantedOf(stream: "EVENTS" | "FACTS", holders: readonly Holder[]): Wanted | undefined {
  const { readers } = streamOf(stream);
  const theirs = holders.filter(({ name }) => readers.some((reader) => reader === name));
  return theirs.length === readers.length ? wantedBy(theirs) : undefined;
}
