// What the readers of events want, in one set: the union of the last values on INTEREST.
import { fromBinary } from "@bufbuild/protobuf";
import { InterestSchema } from "@nightjar/proto";
import { describeError } from "./log.ts";
import type { Stage } from "./stage.ts";

/**
 * Calls `changed` with the ids of the event types that anyone wants, each time a holder of interest says anew what it
 * wants; never before the first has spoken. A value that cannot be read is said and passed over.
 */
export function followInterest(stage: Stage, changed: (eventTypes: ReadonlySet<number>) => void): void {
  const wanted = new Map<string, readonly number[]>();
  stage.bus.follow("INTEREST", (bytes, subject) => {
    try {
      wanted.set(subject, fromBinary(InterestSchema, bytes).eventTypes);
    } catch (error) {
      stage.log.warn("an interest that cannot be read is ignored", { subject, cause: describeError(error) });
      return;
    }
    changed(new Set([...wanted.values()].flat()));
  });
}
