// A match of one event as correlations see it.

/** One event that a rule was true of. */
export interface RuleMatch {
  /** The rule's name. */
  rule: string;
  /** The event's identity: boot id and epoch, and the position. */
  source: string;
  position: number;
  /** When it happened, in µs since 1970. */
  timeUs: number;
  /** The values of what correlations group by and count, by field; those the event does not have are left out. */
  fields: Readonly<Record<string, string>>;
  /** Identities of the process that acted, of its parent, and so on up. */
  lineage: readonly string[];
  /** Of the firing of a correlation that others are about: the matches it is made of. */
  parts?: readonly RuleMatch[];
}

/** By time; at the same time, by place in the ring where that is one. */
export function isBefore(left: RuleMatch, right: RuleMatch): boolean {
  if (left.timeUs !== right.timeUs) return left.timeUs < right.timeUs;
  return left.source === right.source && left.position < right.position;
}
