// Times as Falco prints them. All of them are in UTC: an output must not depend on where it is made.

const NS_PER_S = 1_000_000_000n;

function secondsText(unixNs: bigint): string {
  return new Date(Number(unixNs / NS_PER_S) * 1000).toISOString();
}

function fraction(unixNs: bigint): string {
  return (unixNs % NS_PER_S).toString().padStart(9, "0");
}

/** e.g. "14:03:59.000000012" */
export function timeText(unixNs: bigint): string {
  return `${secondsText(unixNs).slice(11, 19)}.${fraction(unixNs)}`;
}

/** e.g. "2026-01-31" */
export function dateText(unixNs: bigint): string {
  return secondsText(unixNs).slice(0, 10);
}

/** e.g. "2026-01-31T14:03:59.000000012+0000", as Falco has it. */
export function isoText(unixNs: bigint): string {
  return `${secondsText(unixNs).slice(0, 19)}.${fraction(unixNs)}+0000`;
}
