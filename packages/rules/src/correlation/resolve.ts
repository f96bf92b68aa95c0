// Finds the rules that correlations are about, the fields they need of each, and whether they go round in circles.
import type { Term } from "../language/expression.ts";
import { type Place, type Problem, type ProblemCode, problem } from "../problem.ts";
import { parseRuleExpression } from "./condition.ts";
import type { Bound, Correlation, Grouping, Reference } from "./correlation.ts";
import type { ParsedCorrelation } from "./parse.ts";
import { GROUPINGS } from "./words.ts";

/** What correlations need to know of a rule. */
export interface Referable {
  name: string;
  /** By what it may be called beside its name. */
  labels: readonly string[];
  priority: number;
  /** Whether it gives detections of its own although a correlation is about it that does not say. */
  alone: boolean;
  /** What the field of that name is to the rule, the first that an event has; none where there is no such field. */
  terms: (name: string) => readonly Term[];
}

/** What is needed of the matches of a rule that a correlation is about. */
export interface CorrelatedRule {
  /** The fields whose values go with each match, by the name that correlations use. */
  fields: Map<string, readonly Term[]>;
  /** Whether its matches are detections of their own, too. */
  alone: boolean;
}

export interface Resolved {
  correlations: Correlation[];
  /** By the rule's name. */
  rules: Map<string, CorrelatedRule>;
  problems: Problem[];
}

/** One with a fault is left out, and so are those that refer to it. */
export function resolveCorrelations(parsed: readonly ParsedCorrelation[], rules: readonly Referable[]): Resolved {
  return new Resolver(parsed, rules).resolve();
}

class Fault extends Error {
  readonly code: ProblemCode;
  readonly place: Place;

  constructor(code: ProblemCode, message: string, place: Place) {
    super(message);
    this.code = code;
    this.place = place;
  }
}

/** A reference found: one of the two is there. */
interface Target {
  rule?: Referable;
  correlation?: ParsedCorrelation;
}

class Resolver {
  readonly #parsed: readonly ParsedCorrelation[];
  readonly #targets = new Map<string, Target>();
  readonly #done = new Map<ParsedCorrelation, Correlation | undefined>();
  readonly #underWay = new Set<ParsedCorrelation>();
  readonly #resolved: Resolved = { correlations: [], rules: new Map(), problems: [] };
  readonly #needs = new Map<string, Map<string, readonly Term[]>>();
  /** What of each correlation another one says: whether it shall go out by itself. */
  readonly #generated = new Map<string, boolean>();

  constructor(parsed: readonly ParsedCorrelation[], rules: readonly Referable[]) {
    this.#parsed = parsed;
    const put = (name: string, target: Target) => {
      if (!this.#targets.has(name)) this.#targets.set(name, target);
    };
    for (const rule of rules) for (const label of [rule.name, ...rule.labels]) put(label, { rule });
    for (const correlation of parsed)
      for (const label of [correlation.title, ...correlation.labels]) put(label, { correlation });
  }

  resolve(): Resolved {
    for (const one of this.#parsed) this.#correlation(one);
    const { correlations } = this.#resolved;
    for (const one of correlations) one.alone = this.#generated.get(one.name) ?? true;
    return this.#resolved;
  }

  /** Undefined where it has a fault, which is told of once. */
  #correlation(parsed: ParsedCorrelation): Correlation | undefined {
    if (this.#done.has(parsed)) return this.#done.get(parsed);
    this.#underWay.add(parsed);
    let made: Correlation | undefined;
    try {
      made = this.#make(parsed);
      this.#resolved.correlations.push(made);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      const item = { type: "correlation", name: parsed.title };
      this.#resolved.problems.push(problem(fault.code, fault.message, fault.place, item));
    }
    this.#underWay.delete(parsed);
    this.#done.set(parsed, made);
    return made;
  }

  #make(parsed: ParsedCorrelation): Correlation {
    const { title, place } = parsed;
    if (this.#targets.get(title)?.correlation !== parsed)
      throw new Fault("CORRELATION_INVALID", `another rule is called '${title}'`, place);
    const targets = parsed.rules.map((written) => this.#target(written.text, written.place));
    const references = targets.map((target, index) => referenceOf(target, parsed.rules[index]?.text ?? ""));
    const groupBy = parsed.groupBy.flatMap((written) => this.#grouping(parsed, targets, written.text, written.place));
    const fields = parsed.fields.length === 0 ? [] : this.#counted(parsed, targets);
    const priorities = targets.map((target) => this.#priorityOf(target));
    const expression = this.#expression(parsed, targets);
    const made: Correlation = {
      name: title,
      description: parsed.description,
      priority: parsed.priority ?? Math.min(...priorities),
      tags: parsed.tags,
      place: `${place.file}:${place.line}`,
      location: place,
      type: parsed.type,
      references,
      groupBy,
      timespanUs: parsed.timespanUs,
      bounds: boundsOf(parsed),
      fields,
      percentile: parsed.percentile ?? 0,
      alone: true,
    };
    // Only now: a rule must not fall silent for a correlation that is left out.
    for (const target of targets) this.#note(target, parsed.generate);
    return expression ? { ...made, expression } : made;
  }

  #target(label: string, place: Place): Target {
    const target = this.#targets.get(label);
    if (!target) throw new Fault("CORRELATION_UNKNOWN_RULE", `there is no rule '${label}'`, place);
    const { correlation } = target;
    if (correlation && this.#underWay.has(correlation))
      throw new Fault("CORRELATION_CYCLE", `'${label}' refers back to this correlation`, place);
    if (correlation && !this.#correlation(correlation))
      throw new Fault("CORRELATION_UNKNOWN_RULE", `the correlation '${label}' has a fault`, place);
    return target;
  }

  #priorityOf({ rule, correlation }: Target): number {
    return rule?.priority ?? (correlation && this.#done.get(correlation)?.priority) ?? Number.POSITIVE_INFINITY;
  }

  /** Notes that the target is in a correlation, and whether it still stands alone: one that says so is enough. */
  #note({ rule, correlation }: Target, generate: boolean | undefined): void {
    if (correlation)
      this.#generated.set(correlation.title, (this.#generated.get(correlation.title) ?? false) || generate === true);
    if (!rule) return;
    const alone = generate ?? rule.alone;
    const noted = this.#resolved.rules.get(rule.name);
    if (noted) noted.alone ||= alone;
    else this.#resolved.rules.set(rule.name, { fields: this.#fieldsOf(rule), alone });
  }

  /** The fields that are needed of a rule. */
  #fieldsOf({ name }: Referable): Map<string, readonly Term[]> {
    const fields = this.#needs.get(name) ?? new Map<string, readonly Term[]>();
    this.#needs.set(name, fields);
    return fields;
  }

  #grouping(parsed: ParsedCorrelation, targets: readonly Target[], name: string, place: Place): Grouping[] {
    const own = GROUPINGS.get(name);
    if (typeof own === "object") return [own];
    if (own === undefined && GROUPINGS.has(name)) return [];
    return [{ kind: "field", name, fields: this.#fields(parsed, targets, own ?? name, place) }];
  }

  /** What is counted, in each reference. */
  #counted(parsed: ParsedCorrelation, targets: readonly Target[]): string[][] {
    const columns = parsed.fields.map((name) => this.#fields(parsed, targets, name, parsed.fieldPlace));
    return targets.map((_, index) => columns.map((column) => column[index] ?? ""));
  }

  /** The field's name in each reference, behind aliases; each is noted with the rules that it is needed of. */
  #fields(parsed: ParsedCorrelation, targets: readonly Target[], name: string, place: Place): string[] {
    const alias = parsed.aliases.get(name);
    return targets.map((target, index) => {
      const labels = [parsed.rules[index]?.text ?? "", ...labelsOf(target)];
      const field = labels.map((label) => alias?.get(label)).find((one) => one !== undefined) ?? name;
      this.#need(target, field, place);
      return field;
    });
  }

  /** A firing has the values that its correlation grouped by, and the fields of its last match. */
  #need({ rule, correlation }: Target, field: string, place: Place): void {
    if (correlation) {
      if (correlation.groupBy.some((written) => written.text === field)) return;
      for (const { text } of correlation.rules) this.#need(this.#targets.get(text) ?? {}, field, place);
    }
    if (!rule) return;
    const terms = rule.terms(field);
    if (terms.length === 0)
      throw new Fault("CORRELATION_INVALID", `the rule '${rule.name}' has no field '${field}'`, place);
    this.#fieldsOf(rule).set(field, terms);
  }

  #expression(parsed: ParsedCorrelation, targets: readonly Target[]) {
    if (!parsed.expression) return undefined;
    const indices = new Map<string, number>();
    for (const [index, target] of targets.entries()) {
      for (const label of [parsed.rules[index]?.text ?? "", ...labelsOf(target)])
        if (!indices.has(label)) indices.set(label, index);
    }
    const read = parseRuleExpression(parsed.expression.text, indices);
    if ("expression" in read) return read.expression;
    throw new Fault("CORRELATION_INVALID", read.message, parsed.expression.place);
  }
}

function referenceOf({ rule, correlation }: Target, label: string): Reference {
  return { name: rule?.name ?? correlation?.title ?? label, label };
}

function labelsOf({ rule, correlation }: Target): readonly string[] {
  if (rule) return [rule.name, ...rule.labels];
  return correlation ? [correlation.title, ...correlation.labels] : [];
}

/** Of a temporal one without a condition, all of its rules must have matched. */
function boundsOf({ type, bounds, expression, rules }: ParsedCorrelation): readonly Bound[] {
  if (bounds.length > 0 || expression || !type.startsWith("temporal")) return bounds;
  return [{ operator: "gte", value: rules.length }];
}
