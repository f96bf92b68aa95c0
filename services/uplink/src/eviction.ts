// Which detections go first where the outbox is full: of one severity those of the rule that repeats itself most.
import type { Detection } from "@nightjar/proto";

interface Candidate {
  key: string;
  bytes: number;
  detection: Pick<Detection, "rule" | "count">;
}

/**
 * Those of `candidates`, all of one severity, that have to go to free `bytes`: first those of the rule that happened
 * most often among them, of one rule the most repeated, of these the oldest. So what happened once is told longest.
 */
export function evictionOf<Entry extends Candidate>(candidates: readonly Entry[], bytes: number): Entry[] {
  const timesOf = ({ detection }: Entry) => (detection.count > 1n ? detection.count : 1n);
  const timesOfRule = new Map<string, bigint>();
  for (const one of candidates) {
    timesOfRule.set(one.detection.rule, (timesOfRule.get(one.detection.rule) ?? 0n) + timesOf(one));
  }
  const rank = (one: Entry): [bigint, bigint, string] => [
    -(timesOfRule.get(one.detection.rule) ?? 0n),
    -timesOf(one),
    one.key,
  ];
  const ranked = candidates.map((entry) => ({ entry, rank: rank(entry) })).sort((a, b) => compare(a.rank, b.rank));
  const gone: Entry[] = [];
  let freed = 0;
  for (const { entry } of ranked) {
    if (freed >= bytes) break;
    gone.push(entry);
    freed += entry.bytes;
  }
  return gone;
}

function compare(a: readonly (bigint | string)[], b: readonly (bigint | string)[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  if (at < 0) return 0;
  return (a[at] as bigint | string) < (b[at] as bigint | string) ? -1 : 1;
}
