// Evaluates rules over batches: one generated function for each event type, and for each match what a person needs.
import { BatchReader } from "@nightjar/events";
import type { Value } from "../fields/definition.ts";
import type { Rule } from "../files/load.ts";
import { fieldsOf, type Term, termName } from "../language/expression.ts";
import { EventView } from "./event-view.ts";
import { formatOutput, formatValue, termsOfFormat } from "./format.ts";
import { getterOf } from "./interpret.ts";
import { Matcher } from "./matcher.ts";
import { rulesByType } from "./possible-types.ts";

/** A rule that is true of an event. */
export interface Match {
  rule: Rule;
  /** Which event of the batch, from 0 on, and its position: with the batch's source id, its identity. */
  eventIndex: number;
  position: number;
  /** Rows of the batch's table of processes: the actor, its parent, and so on up. */
  lineage: number[];
  /** The rule's output with its fields filled in. */
  output: string;
  /** The fields that output and condition name, with their values as text; those without a value are left out. */
  fields: Record<string, string>;
}

/** What a rule has cost. */
export interface RuleCost {
  rule: Rule;
  /** Of how many events its condition was asked; an index answers for the others. */
  evaluated: number;
  /** How often that was timed, and how long that took: reading a field counts for the rule that asks first. */
  timed: number;
  timedMs: number;
}

interface Group {
  rules: readonly Rule[];
  matcher: Matcher;
}

/** Rules compiled for evaluation. */
export interface Engine {
  /** The rules in it: all that are enabled. */
  readonly rules: readonly Rule[];
  /** Ids of the event types that at least one rule can be true of, in order; no other event needs to be sent here. */
  readonly eventTypes: readonly number[];
  /** Which rules can be true of an event type. */
  rulesOf(eventType: number): readonly Rule[];
  /**
   * All matches in an encoded Batch, by event and then by rule. Throws a WireError where the bytes
   * are no batch. Nothing in the result refers to the bytes.
   */
  matchBatch(bytes: Uint8Array): Match[];
  /** What the rules have cost since this was asked last, but for those that cost nothing. */
  takeCosts(): RuleCost[];
}

/** `all` lets no rule hide another; `first` gives the first rule that is true of an event, as Falco does by default. */
export type RuleMatching = "all" | "first";

/** Compiles the enabled rules of a load. */
export function compileRules(rules: readonly Rule[], matching: RuleMatching = "all"): Engine {
  const enabled = rules.filter((rule) => rule.enabled);
  const groups = new Map<number, Group>();
  for (const [id, possible] of rulesByType(enabled)) {
    groups.set(id, {
      rules: possible.map(({ rule }) => rule),
      matcher: new Matcher(possible.map(({ expression }) => expression)),
    });
  }
  return new CompiledEngine(enabled, groups, matching);
}

class CompiledEngine implements Engine {
  readonly rules: readonly Rule[];
  readonly eventTypes: readonly number[];
  readonly #groups: ReadonlyMap<number, Group>;
  readonly #view = new EventView();
  readonly #hits: number[] = [];
  readonly #hitsMax: number;
  readonly #terms = new Map<Rule, ReadonlyMap<string, Term>>();

  constructor(rules: readonly Rule[], groups: ReadonlyMap<number, Group>, matching: RuleMatching) {
    this.rules = rules;
    this.#hitsMax = matching === "first" ? 1 : Number.POSITIVE_INFINITY;
    this.#groups = groups;
    this.eventTypes = [...groups.keys()];
  }

  rulesOf(eventType: number): readonly Rule[] {
    return this.#groups.get(eventType)?.rules ?? [];
  }

  matchBatch(bytes: Uint8Array): Match[] {
    const matches: Match[] = [];
    const batch = new BatchReader(bytes);
    const view = this.#view;
    const hits = this.#hits;
    view.open(batch);
    for (let index = 0; index < batch.length; index++) {
      const group = this.#groups.get(view.select(index));
      if (!group) continue;
      hits.length = 0;
      group.matcher.match(view, hits);
      for (const hit of hits.slice(0, this.#hitsMax)) matches.push(this.#match(group.rules[hit] as Rule));
    }
    return matches;
  }

  takeCosts(): RuleCost[] {
    const costs = new Map<Rule, RuleCost>();
    for (const { rules, matcher } of this.#groups.values()) {
      for (const [number, rule] of rules.entries()) {
        const evaluated = matcher.asked[number] as number;
        if (evaluated === 0) continue;
        const cost = costs.get(rule) ?? { rule, evaluated: 0, timed: 0, timedMs: 0 };
        cost.evaluated += evaluated;
        cost.timed += matcher.timed[number] as number;
        cost.timedMs += matcher.timedMs[number] as number;
        costs.set(rule, cost);
      }
      for (const counts of [matcher.asked, matcher.timed, matcher.timedMs]) counts.fill(0);
    }
    return [...costs.values()];
  }

  #match(rule: Rule): Match {
    const view = this.#view;
    const fields: Record<string, string> = {};
    for (const [name, term] of this.#termsOf(rule)) {
      const value = getterOf(term)(view);
      if (value !== undefined) fields[name] = formatValue(value);
    }
    const read = (term: Term): Value => getterOf(term)(view);
    for (const { name, format } of rule.extraFields ?? []) {
      const [only] = format;
      const missing = format.length === 1 && typeof only === "object" && read(only.term) === undefined;
      if (!missing) fields[name] = formatOutput(format, read);
    }
    return {
      rule,
      eventIndex: view.index,
      position: view.position,
      lineage: view.batch.lineage(view.index),
      output: formatOutput(rule.format, read),
      fields,
    };
  }

  #termsOf(rule: Rule): ReadonlyMap<string, Term> {
    let terms = this.#terms.get(rule);
    if (!terms) {
      const ofCondition = [...fieldsOf(rule.expression)].map((term) => [termName(term), term] as const);
      terms = new Map<string, Term>([...termsOfFormat(rule.format), ...ofCondition]);
      this.#terms.set(rule, terms);
    }
    return terms;
  }
}
