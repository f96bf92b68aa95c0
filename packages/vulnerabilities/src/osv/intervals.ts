// Brings the events of an OSV range into intervals of versions.
import { create } from "@bufbuild/protobuf";
import { type AffectedInterval, AffectedIntervalSchema } from "@nightjar/proto";
import type { VersionOrder } from "../versions/order.ts";

/** The events of OSV's schema, in the order in which those of one version count. */
const KINDS = ["introduced", "last_affected", "fixed", "limit"] as const;
/** Before all versions. */
export const FIRST = "0";

interface Event {
  kind: (typeof KINDS)[number];
  version: string;
}

/** `invalid` is told of what is no version; the range then gives nothing. Ranges of commits (GIT) give nothing. */
export function readIntervals(
  range: Readonly<Record<string, unknown>>,
  order: VersionOrder,
  invalid: (version: string) => void,
): AffectedInterval[] {
  if (range.type !== "ECOSYSTEM" && range.type !== "SEMVER") return [];
  const events = (Array.isArray(range.events) ? range.events : []).flatMap(eventOf);
  const wrong = events.find(({ version }) => version !== FIRST && !order.isVersion(version));
  if (wrong) {
    invalid(wrong.version);
    return [];
  }
  events.sort((one, other) => compareEvents(one, other, order));
  const intervals: AffectedInterval[] = [];
  let open: string | undefined;
  for (const { kind, version } of events) {
    if (kind === "introduced") open ??= version;
    else if (open !== undefined) {
      const end = kind === "last_affected" ? { lastAffected: version } : { fixed: version };
      intervals.push(create(AffectedIntervalSchema, { introduced: open, ...end }));
      open = undefined;
    }
  }
  if (open !== undefined) intervals.push(create(AffectedIntervalSchema, { introduced: open }));
  return intervals;
}

function eventOf(value: unknown): Event[] {
  const fields: Readonly<Record<string, unknown>> = typeof value === "object" && value !== null ? { ...value } : {};
  return KINDS.flatMap((kind) => {
    const version = fields[kind];
    // A limit of "*" is none.
    return typeof version === "string" && version !== "*" ? [{ kind, version }] : [];
  });
}

function compareEvents(one: Event, other: Event, order: VersionOrder): number {
  if (one.version === other.version) return KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind);
  if (one.version === FIRST) return -1;
  if (other.version === FIRST) return 1;
  return order.compare(one.version, other.version) || KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind);
}
