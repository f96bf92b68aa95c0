// What the probe is asked to watch in a measurement.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Probe } from "@nightjar/native-probe";
import { eventTypes } from "@nightjar/proto";
import { compileRules, loadRules } from "@nightjar/rules";

const STARTER_RULES = join(import.meta.dirname, "../../services/rule-engine/rules");
/** What the enricher follows processes by. */
const ALWAYS = ["exec", "fork", "exit"];

function idsOf(names: readonly string[]): number[] {
  return eventTypes.filter(({ name }) => names.includes(name)).map(({ id }) => id);
}

/** The event types that the starter rules can be true of. */
function starterTypes(): number[] {
  const files = readdirSync(STARTER_RULES).map((name) => ({
    name,
    text: readFileSync(join(STARTER_RULES, name), "utf8"),
  }));
  const { eventTypes: wanted } = compileRules(loadRules(files).rules);
  return [...new Set([...wanted, ...idsOf(ALWAYS)])];
}

const PROFILES = {
  /** With the filters that our own rules make. */
  starter: (probe: Probe) => probe.setWanted(starterTypes()),
  /** Opens are looked at, and no rule wants any of them. */
  unwanted: (probe: Probe) => {
    probe.setWanted(idsOf([...ALWAYS, "open"]));
    probe.setOpenInterest({ reads: false, writes: true, failures: false });
  },
  /** Every open and nothing else is submitted. */
  opens: (probe: Probe) => probe.setWanted(idsOf(["open"])),
  /** Every event type, nothing filtered. */
  everything: (probe: Probe) => probe.setWanted(eventTypes.map(({ id }) => id)),
} as const;

export type ProfileName = keyof typeof PROFILES;

export function applyProfile(probe: Probe, profile: ProfileName): void {
  PROFILES[profile](probe);
}
