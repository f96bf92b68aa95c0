// What the probe is asked to watch in a measurement.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { unionOfInterests } from "@nightjar/events";
import type { Probe } from "@nightjar/native-probe";
import { eventTypes, type TypeInterest, TypeInterestSchema, wholeType } from "@nightjar/proto";
import { interestOf, loadRules, wishesOf } from "@nightjar/rules";

const STARTER_RULES = join(import.meta.dirname, "../../services/rule-engine/rules");
/** What the enricher follows processes by. */
const ALWAYS = ["exec", "fork", "exit"];
/** Their classes, see TypeInterest. */
const OPENS_TO_WRITE = (1 << 2) | (1 << 3);

function idsOf(names: readonly string[]): number[] {
  return eventTypes.filter(({ name }) => names.includes(name)).map(({ id }) => id);
}

const whole = (names: readonly string[]) => idsOf(names).map((id) => [id, wholeType(id)] as const);

/** What the starter rules want, and the enricher. */
function starterInterest(): Map<number, TypeInterest> {
  const files = readdirSync(STARTER_RULES).map((name) => ({
    name,
    text: readFileSync(join(STARTER_RULES, name), "utf8"),
  }));
  const wanted = unionOfInterests([interestOf(wishesOf(loadRules(files).rules), "rule-engine", "")]);
  return new Map([...wanted, ...whole(ALWAYS)]);
}

const PROFILES = {
  /** With the filters that our own rules make. */
  starter: (probe: Probe) => probe.setInterest(starterInterest()),
  /** Opens are looked at, and no rule wants any of them. */
  unwanted: (probe: Probe) => {
    const [open] = idsOf(["open"]) as [number];
    const writes = create(TypeInterestSchema, { eventType: open, everything: OPENS_TO_WRITE });
    probe.setInterest(new Map([...whole(ALWAYS), [open, writes]]));
  },
  /** Nothing but the first write of each opening of a file: what every write and every open pays for it. */
  firstWrites: (probe: Probe) => probe.setWanted(idsOf(["first_write"])),
  /** Every open and nothing else is submitted. */
  opens: (probe: Probe) => probe.setWanted(idsOf(["open"])),
  /** Every event type, nothing filtered. */
  everything: (probe: Probe) => probe.setWanted(eventTypes.map(({ id }) => id)),
} as const;

export type ProfileName = keyof typeof PROFILES;

export function applyProfile(probe: Probe, profile: ProfileName): void {
  PROFILES[profile](probe);
}
