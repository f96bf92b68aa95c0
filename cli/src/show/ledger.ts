// The ledger: for each event type what the kernel saw, and whether it is all accounted for.
import { DropReasonSchema, eventTypeName, type LedgerEntry } from "@nightjar/proto";
import { enumWord } from "./plain.ts";
import { table } from "./table.ts";
import { count } from "./text.ts";

export interface LedgerRow {
  type: string;
  seen: bigint;
  filtered: bigint;
  governed: bigint;
  folded: bigint;
  submitted: bigint;
  dropped: bigint;
  /** By reason. */
  drops: Record<string, bigint>;
  /** seen = filtered + governed + folded + submitted + dropped. */
  balances: boolean;
}

export function ledgerRows(entries: readonly LedgerEntry[]): LedgerRow[] {
  return entries.map(({ type, seen, filtered, governed, folded, submitted, drops }) => {
    const dropped = drops.reduce((sum, drop) => sum + drop.count, 0n);
    return {
      type: eventTypeName(type),
      seen,
      filtered,
      governed,
      folded,
      submitted,
      dropped,
      drops: Object.fromEntries(drops.map((drop) => [enumWord(DropReasonSchema, drop.reason), drop.count])),
      balances: seen === filtered + governed + folded + submitted + dropped,
    };
  });
}

/** The sum of all rows. */
export function ledgerTotal(rows: readonly LedgerRow[]): LedgerRow {
  const sum = (of: (row: LedgerRow) => bigint) => rows.reduce((total, row) => total + of(row), 0n);
  const reasons = [...new Set(rows.flatMap((row) => Object.keys(row.drops)))];
  return {
    type: "all",
    seen: sum((row) => row.seen),
    filtered: sum((row) => row.filtered),
    governed: sum((row) => row.governed),
    folded: sum((row) => row.folded),
    submitted: sum((row) => row.submitted),
    dropped: sum((row) => row.dropped),
    drops: Object.fromEntries(reasons.map((reason) => [reason, sum((row) => row.drops[reason] ?? 0n)])),
    balances: rows.every((row) => row.balances),
  };
}

export function ledgerLines(rows: readonly LedgerRow[]): string[] {
  const reasons = (row: LedgerRow) =>
    Object.entries(row.drops).map(([reason, dropped]) => `${reason} ${count(dropped)}`);
  const cells = [...rows, ledgerTotal(rows)].map((row) => [
    row.type,
    ...[row.seen, row.filtered, row.governed, row.folded, row.submitted, row.dropped].map(count),
    row.balances ? reasons(row).join(", ") : "does not balance",
  ]);
  const head = ["TYPE", "SEEN", "FILTERED", "GOVERNED", "FOLDED", "SUBMITTED", "DROPPED", ""];
  return table([head, ...cells], [1, 2, 3, 4, 5, 6]);
}

/** As JSON, the numbers as numbers: counts stay far below 2^53. */
export function ledgerJson({ drops, ...row }: LedgerRow): Record<string, unknown> {
  const number = (value: unknown) => (typeof value === "bigint" ? Number(value) : value);
  const plain = (values: object) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, number(value)]));
  return { ...plain(row), drops: plain(drops) };
}
