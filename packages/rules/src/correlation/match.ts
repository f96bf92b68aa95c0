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
}
