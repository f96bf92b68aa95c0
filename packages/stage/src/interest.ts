// What the readers of events want: the union of the last values on INTEREST.
import { fromBinary } from "@bufbuild/protobuf";
import { unionOfInterests } from "@nightjar/events";
import { type Interest, InterestSchema, type TypeInterest } from "@nightjar/proto";
import { describeError } from "./log.ts";
import type { Stage } from "./stage.ts";

const MS_PER_S = 1_000;

/** What is wanted of each event type, by its id; a type that is not there is not wanted. */
export type Wanted = ReadonlyMap<number, TypeInterest>;

/** What is wanted beside events. */
export interface WantedMore {
  /** Execs with the environment of the process. */
  environment: boolean;
  /** Messages sent and received with the first bytes of their data. */
  data: boolean;
}

/**
 * Calls `changed` with what anyone wants, each time a holder of interest says anew what it wants, and when one whose
 * lease is over has not; never before the first has spoken. A value that cannot be read is said and passed over, and so
 * is one that is older than what its holder said last.
 */
export function followInterest(stage: Stage, changed: (wanted: Wanted, more: WantedMore) => void): void {
  const held = new Map<string, { interest: Interest; lease: NodeJS.Timeout | undefined }>();
  const tell = () => {
    const interests = [...held.values()].map(({ interest }) => interest);
    changed(unionOfInterests(interests), {
      environment: interests.some(({ environment }) => environment),
      data: interests.some(({ data }) => data),
    });
  };
  const withdraw = (subject: string) => {
    held.delete(subject);
    tell();
  };
  stage.bus.follow("INTEREST", (bytes, subject) => {
    let interest: Interest;
    try {
      interest = fromBinary(InterestSchema, bytes);
    } catch (error) {
      stage.log.warn("an interest that cannot be read is ignored", { subject, cause: describeError(error) });
      return;
    }
    const before = held.get(subject);
    if (before && interest.revision < before.interest.revision) return;
    clearTimeout(before?.lease);
    const { leaseS } = interest;
    const lease = leaseS > 0 ? setTimeout(() => withdraw(subject), leaseS * MS_PER_S).unref() : undefined;
    held.set(subject, { interest, lease });
    tell();
  });
}
