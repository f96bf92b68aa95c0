// The enricher's part in interests: it says what it follows, and gives on what others want of the rest.
import { create, toBinary } from "@bufbuild/protobuf";
import { InterestSchema } from "@nightjar/proto";
import { followInterest, type Stage, wantedBy, wantedOf } from "@nightjar/stage";
import { TYPE_DNS } from "./context/address-names.ts";
import type { Enricher } from "./enricher.ts";
import { followedTypes } from "./follow.ts";
import { TREE_TYPES } from "./scan.ts";

const SUBJECT = "nightjar.interest.enricher";

/** What the enricher wants of the kernel: what its process tree follows, and DNS while addresses are to be named. */
export class OwnInterest {
  readonly #stage: Stage;
  #areAddressesNamed = false;
  #revision = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Says it anew where this changes it; the publisher tries until it is stored. */
  setAddressesNamed(areNamed: boolean): void {
    if (areNamed === this.#areAddressesNamed) return;
    this.#areAddressesNamed = areNamed;
    void this.publish();
  }

  /** Resolves when it is stored. */
  async publish(): Promise<void> {
    // Two in one ms are still two.
    this.#revision = Math.max(Date.now(), this.#revision + 1);
    const revision = BigInt(this.#revision);
    const eventTypes = [...TREE_TYPES, ...followedTypes, ...(this.#areAddressesNamed ? [TYPE_DNS] : [])];
    const bytes = toBinary(InterestSchema, create(InterestSchema, { stage: "enricher", eventTypes, revision }));
    await this.#stage.bus.publish("INTEREST", SUBJECT, bytes, `${this.#stage.instance}:${revision}`);
  }
}

/** What the readers of EVENTS and of FACTS want goes there; what only leases want goes to who listens. */
export function followWanted(stage: Stage, enricher: Enricher, own: OwnInterest): void {
  followInterest(stage, (holders) => {
    const wanted = wantedOf("EVENTS", holders);
    if (wanted) {
      enricher.setInterest(wanted.keys());
      stage.facts.set("event_types", [...wanted.keys()].sort((left, right) => left - right).join(","));
    }
    enricher.setFacts(wantedOf("FACTS", holders)?.keys() ?? []);
    enricher.setTapped(wantedBy(holders.filter(({ isLeased }) => isLeased)).keys());
    const areNamed = holders.some(({ interest }) => interest.addressNames);
    enricher.setAddressesNamed(areNamed);
    own.setAddressesNamed(areNamed);
  });
}
