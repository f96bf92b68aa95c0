// Which rule makes the kernel send which events: what each could be true of, beside what was counted.
import { eventTypeName, type LedgerEntry } from "@nightjar/proto";
import { classesOf, type KeySet, type TypeWish, type Wish } from "@nightjar/rules";
import type { Output } from "../output.ts";
import { table } from "../show/table.ts";
import { count, printable } from "../show/text.ts";

/** Of the reasons why nothing narrows, so many are shown to a person; all are in the JSON. */
const REASONS_SHOWN_MAX = 3;
const WIDTH_MAX = 100;
/** How the collector names what a holder of interest wants, see metrics.ts. */
const HOLDER_FACT = "interest.";

interface RuleFilter {
  rule: string;
  place: string;
  /** The classes of events that it can be true of, all of them treated alike. */
  classes: string[];
  everything: boolean;
  /** The conditions that would narrow it and cannot; empty where it has none on what the kernel can look up. */
  because: string[];
  /** How many paths, commands and ports it names. */
  keys: Record<string, number>;
}

interface TypeFilter {
  type: string;
  /** Not there where no sensor runs. */
  counts?: { seen: number; filtered: number; folded: number; submitted: number };
  /** Classes of which everything is sent. */
  everything: string[];
  rules: RuleFilter[];
}

/** The event types that rules want, the loudest first where there are counts. */
export function filtersOf(wishes: readonly TypeWish[], ledger: readonly LedgerEntry[]): TypeFilter[] {
  const rows = wishes.map(({ eventType, classes, contributions }) => {
    const names = new Map(classesOf(eventType).map((each) => [each.class, each.name]));
    const nameOf = (of: number) => names.get(of) ?? "";
    const rules = new Map<string, RuleFilter>();
    for (const { rule, class: of, wish } of contributions) {
      const filter = { rule: rule.name, place: rule.place, ...describe(wish) };
      const id = JSON.stringify(filter);
      const known = rules.get(id) ?? { ...filter, classes: [] };
      rules.set(id, { ...known, classes: [...known.classes, nameOf(of)] });
    }
    const counted = ledger.find(({ type }) => type === eventType);
    const counts = counted && {
      seen: Number(counted.seen),
      filtered: Number(counted.filtered),
      folded: Number(counted.folded),
      submitted: Number(counted.submitted),
    };
    const whole = [...classes].filter(([, wish]) => "everything" in wish).map(([of]) => nameOf(of));
    return {
      type: eventTypeName(eventType),
      ...(counts && { counts }),
      everything: whole,
      rules: [...rules.values()],
    };
  });
  return rows.sort((one, other) => (other.counts?.submitted ?? 0) - (one.counts?.submitted ?? 0));
}

function describe(wish: Wish): Pick<RuleFilter, "everything" | "because" | "keys"> {
  if ("everything" in wish) return { everything: true, because: [...wish.everything], keys: {} };
  const keys = [...wish.keys].map(([key, set]) => [NAMES[key] ?? key, sizeOf(set)] as const);
  return { everything: false, because: [], keys: Object.fromEntries(keys) };
}

const NAMES: Readonly<Record<string, string>> = {
  path: "path",
  command: "command",
  remote_port: "remote port",
  local_port: "local port",
};

function sizeOf(set: KeySet): number {
  if (set.kind === "paths") return set.patterns.length;
  return set.kind === "names" ? set.names.size : set.ports.size;
}

/** Each holder of interest that the collector knows, with the event types it wants. */
export function holdersOf(facts: Readonly<Record<string, string>>): Record<string, string> {
  const told = Object.entries(facts).filter(([name]) => name.startsWith(HOLDER_FACT));
  return Object.fromEntries(told.map(([name, wants]) => [name.slice(HOLDER_FACT.length), wants]).sort());
}

export function showFilters(
  output: Output,
  filters: readonly TypeFilter[],
  holders: Readonly<Record<string, string>>,
): void {
  for (const [name, wants] of Object.entries(holders)) output.line(printable(`${name} wants ${wants}`));
  if (Object.keys(holders).length > 0) output.line();
  for (const { type, counts, rules } of filters) {
    const counted = counts
      ? `seen ${count(BigInt(counts.seen))}, filtered ${count(BigInt(counts.filtered))}, ` +
        `folded ${count(BigInt(counts.folded))}, ` +
        `submitted ${count(BigInt(counts.submitted))}`
      : "";
    output.line(`${output.paint("bold", type)}  ${counted}`.trimEnd());
    // What is loud comes first.
    const ordered = [...rules].sort((one, other) => Number(other.everything) - Number(one.everything));
    const rows = ordered.map((rule) => [
      rule.everything ? "!" : " ",
      rule.rule,
      `${rule.classes.join(", ")}:`,
      how(rule),
    ]);
    for (const line of table(rows)) output.line(`  ${printable(line)}`);
  }
  if (filters.length === 0) output.line("No rule wants any event.");
  output.json({ holders, types: filters });
}

function how({ everything, because, keys }: RuleFilter): string {
  if (!everything)
    return Object.entries(keys)
      .map(([name, size]) => `${size} ${name}${size === 1 ? "" : "s"}`)
      .join(" or ");
  if (because.length === 0) return "everything: it has no condition on what the kernel can look up";
  const shown = because.slice(0, REASONS_SHOWN_MAX).map((text) => {
    return text.length > WIDTH_MAX ? `${text.slice(0, WIDTH_MAX)}…` : text;
  });
  const more = because.length > REASONS_SHOWN_MAX ? ` and ${because.length - REASONS_SHOWN_MAX} more` : "";
  return `everything, because this cannot be narrowed: ${shown.join("; ")}${more}`;
}
