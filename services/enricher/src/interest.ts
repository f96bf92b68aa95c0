// The enricher's part in interests: it says what its process tree follows, and gives on what others want of the rest.
import { create, toBinary } from "@bufbuild/protobuf";
import { InterestSchema } from "@nightjar/proto";
import { followInterest, type Stage, wantedBy, wantedOfEvents } from "@nightjar/stage";
import type { Enricher } from "./enricher.ts";
import { followedTypes } from "./follow.ts";
import { TREE_TYPES } from "./scan.ts";

const SUBJECT = "nightjar.interest.enricher";

/** Resolves when it is stored. It never changes while the process runs. */
export async function publishInterest(stage: Stage): Promise<void> {
  const revision = BigInt(Date.now());
  const eventTypes = [...TREE_TYPES, ...followedTypes];
  const interest = create(InterestSchema, { stage: "enricher", eventTypes, revision });
  await stage.bus.publish("INTEREST", SUBJECT, toBinary(InterestSchema, interest), `${stage.instance}:${revision}`);
}

/** What the readers of EVENTS want goes there; what only leases want goes to who listens. */
export function followWanted(stage: Stage, enricher: Enricher): void {
  followInterest(stage, (holders) => {
    const wanted = wantedOfEvents(holders);
    if (wanted) {
      enricher.setInterest(wanted.keys());
      stage.facts.set("event_types", [...wanted.keys()].sort((left, right) => left - right).join(","));
    }
    enricher.setTapped(wantedBy(holders.filter(({ isLeased }) => isLeased)).keys());
  });
}
