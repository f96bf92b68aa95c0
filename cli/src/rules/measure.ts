// What each rule costs by itself, measured over given batches.
import { compileRules, type Rule } from "@nightjar/rules";

export interface RuleCost {
  rule: string;
  /** Processor time for an event, in ns, beyond what reading the events costs without any rule. */
  nsPerEvent: number;
  matches: number;
}

/** A shorter time says nothing: the clock and the garbage collector would be in it. */
const MEASURE_MS_MIN = 20;
const ROUNDS = 3;

/** The costs of rules, the worst first, and that of reading the events alone. `events` is how many the batches hold. */
export function measureRules(
  rules: readonly Rule[],
  batches: readonly Uint8Array[],
  events: number,
): { costs: RuleCost[]; readingNs: number } {
  const reading = measure([], batches, events).ns;
  const costs = rules.map((rule) => {
    const { ns, matches } = measure([rule], batches, events);
    return { rule: rule.name, nsPerEvent: Math.max(0, ns - reading), matches };
  });
  return { costs: costs.sort((a, b) => b.nsPerEvent - a.nsPerEvent), readingNs: reading };
}

/** The median of some rounds, after one that compiles. */
function measure(rules: readonly Rule[], batches: readonly Uint8Array[], events: number) {
  const engine = compileRules(rules.map((rule) => ({ ...rule, enabled: true })));
  const pass = (): number => batches.reduce((sum, bytes) => sum + engine.matchBatch(bytes).length, 0);
  const matches = pass();
  const rounds = Array.from({ length: ROUNDS }, () => {
    let passes = 0;
    const begun = process.cpuUsage();
    let spentMs: number;
    do {
      pass();
      passes++;
      const { user, system } = process.cpuUsage(begun);
      spentMs = (user + system) / 1e3;
    } while (spentMs < MEASURE_MS_MIN);
    return (spentMs * 1e6) / (passes * events);
  });
  return { ns: rounds.sort((a, b) => a - b)[ROUNDS >> 1] as number, matches };
}
