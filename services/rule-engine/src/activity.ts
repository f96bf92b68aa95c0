// What the rules and suppressions have done since this start, by name: it goes on when the rules are loaded anew.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type RuleActivity,
  RuleActivitySchema,
  type SuppressionActivity,
  SuppressionActivitySchema,
} from "@nightjar/proto";
import type { DetectedMatch } from "./stories/stories.ts";
import type { MatchedBatch, SuppressionDescription } from "./worker.ts";

/** Rows in a status, which travels to the portal with each heartbeat. */
const ROWS_MAX = 200;
/** Rules and suppressions that are remembered; those loaded once and gone are forgotten first. */
const NAMES_MAX = 20_000;
const NS_PER_MS = 1_000_000;

interface Counts {
  evaluated: number;
  matched: number;
  suppressed: number;
  detected: number;
  folded: number;
  timed: number;
  timedMs: number;
}

export class Activity {
  readonly #rules = new Map<string, Counts>();
  /** By suppression and then by rule. */
  readonly #hidden = new Map<string, Map<string, number>>();

  /** Adds what a batch came to. */
  evaluated({ matched, hidden, costs }: Pick<MatchedBatch, "matched" | "hidden" | "costs">): void {
    for (const [rule, count] of matched) this.#of(rule).matched += count;
    for (const { rule, evaluated, timed, timedMs } of costs) {
      const counts = this.#of(rule);
      counts.evaluated += evaluated;
      counts.timed += timed;
      counts.timedMs += timedMs;
    }
    for (const { suppression, rule, count } of hidden) {
      this.#of(rule).suppressed += count;
      const byRule = this.#hidden.get(suppression) ?? new Map<string, number>();
      byRule.set(rule, (byRule.get(rule) ?? 0) + count);
      this.#hidden.set(suppression, byRule);
    }
    forgetOldest(this.#hidden);
  }

  /** Adds what became of matches: `opened` of them are the first of their story. */
  folded(matches: readonly DetectedMatch[], opened: readonly DetectedMatch[]): void {
    for (const { rule } of matches) this.#of(rule).folded++;
    for (const { rule } of opened) {
      const counts = this.#of(rule);
      counts.folded--;
      counts.detected++;
    }
  }

  /** The rules that matched or cost most, and how many more there are. */
  rules(): { rows: RuleActivity[]; omitted: number } {
    const all = [...this.#rules].map(([name, { timed, timedMs, ...counts }]) => ({
      name,
      ...counts,
      timeNs: timed === 0 ? 0 : Math.round((timedMs / timed) * counts.evaluated * NS_PER_MS),
    }));
    all.sort((a, b) => b.matched - a.matched || b.timeNs - a.timeNs);
    const rows = all.slice(0, ROWS_MAX).map(({ name, ...counts }) => {
      const numbers = Object.entries(counts).map(([key, value]) => [key, BigInt(value)]);
      return create(RuleActivitySchema, { name, ...Object.fromEntries(numbers) });
    });
    return { rows, omitted: all.length - rows.length };
  }

  /** Those in force, each with what it hid. */
  suppressions(inForce: readonly SuppressionDescription[]): SuppressionActivity[] {
    return inForce.slice(0, ROWS_MAX).map(({ expiresMs, ...described }) => {
      const byRule = [...(this.#hidden.get(described.name) ?? [])].slice(0, ROWS_MAX);
      return create(SuppressionActivitySchema, {
        ...described,
        ...(expiresMs !== undefined && { expires: timestampFromMs(expiresMs) }),
        hidden: BigInt(byRule.reduce((sum, [, count]) => sum + count, 0)),
        hiddenByRule: Object.fromEntries(byRule.map(([rule, count]) => [rule, BigInt(count)])),
      });
    });
  }

  #of(rule: string): Counts {
    let counts = this.#rules.get(rule);
    if (!counts) {
      counts = { evaluated: 0, matched: 0, suppressed: 0, detected: 0, folded: 0, timed: 0, timedMs: 0 };
      this.#rules.set(rule, counts);
      forgetOldest(this.#rules);
    }
    return counts;
  }
}

function forgetOldest(names: Map<string, unknown>): void {
  for (const name of names.keys()) {
    if (names.size <= NAMES_MAX) return;
    names.delete(name);
  }
}
