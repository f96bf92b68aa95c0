// Durations and points in time as people write them.

export const TIME_FORMS = "a duration back from now such as 30s, 10m, 2h or 1d, or a time such as 2026-01-31T12:00:00Z";

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A date must come first: alone, JavaScript would read "5" as a month. */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Milliseconds of a duration such as 30s, 10m, 2h or 1d; undefined when the text is none. */
export function readDuration(text: string): number | undefined {
  const [, amount, unit] = text.match(/^(\d{1,9})([smhd])$/) ?? [];
  return amount !== undefined && unit !== undefined ? Number(amount) * (UNITS_MS[unit] as number) : undefined;
}

const SPANS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** How long something took, in its two largest units: "1 h 2 min", "59 s". */
export function spanText(ms: number): string {
  const largest = SPANS.findIndex(([, unitMs]) => ms >= unitMs);
  if (largest === -1) return "0 s";
  let left = ms;
  const parts = SPANS.slice(largest, largest + 2).map(([unit, unitMs]) => {
    const amount = Math.floor(left / unitMs);
    left -= amount * unitMs;
    return amount > 0 ? `${amount} ${unit}` : "";
  });
  return parts.filter((part) => part !== "").join(" ");
}

/** Undefined when the text is neither a duration nor a time. */
export function readTime(text: string, nowMs: number): Date | undefined {
  const ago = readDuration(text);
  if (ago !== undefined) return new Date(nowMs - ago);
  const time = TIMESTAMP.test(text) ? new Date(text) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time : undefined;
}
