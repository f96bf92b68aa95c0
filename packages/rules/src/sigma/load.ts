// Turns documents of Sigma into rules: read, changed by pipelines, narrowed by filters, lowered for their logsource.
import { specialiser } from "../engine/specialise.ts";
import { EVERY_EVENT } from "../fields/served.ts";
import { fail, ItemError } from "../files/decode.ts";
import type { Rule } from "../files/load.ts";
import type { MappingValue } from "../files/yaml.ts";
import { and, type Expression, fieldsOf, NEVER, or } from "../language/expression.ts";
import { type Problem, problem } from "../problem.ts";
import type { CorrelationDocument, SigmaDocument } from "./documents.ts";
import { PRIORITY_OF_LEVEL } from "./levels.ts";
import { SENSOR_VIEWS } from "./logsources.ts";
import { Lowering } from "./lower-condition.ts";
import { itemsOf, namedFields, outputOf } from "./output.ts";
import { readPipeline } from "./pipeline/document.ts";
import { type Pipeline, processed, processedFilter } from "./pipeline/pipeline.ts";
import type { Placeholders } from "./placeholders.ts";
import { readFilter, readRule, type SigmaFilter, type SigmaRule } from "./read.ts";
import { plainText } from "./text.ts";
import type { Logsource, Views, ViewsOf } from "./view.ts";

/** What rules are loaded with. */
export interface SigmaContext {
  /** What logsources mean; the sensor's own events unless told otherwise. */
  viewsOf?: ViewsOf;
  /** What placeholders stand for, by their names. */
  placeholders?: Placeholders;
}

export interface SigmaLoaded {
  rules: Rule[];
  correlations: CorrelationDocument[];
  problems: Problem[];
}

/** Loads documents in their order. Never throws on what they hold: one with a fault is left out and told of. */
export function loadSigma(documents: readonly SigmaDocument[], context: SigmaContext = {}): SigmaLoaded {
  const { viewsOf = SENSOR_VIEWS, placeholders = new Map() } = context;
  return new SigmaLoader({ viewsOf, placeholders }).load(documents);
}

class SigmaLoader {
  readonly #context: Required<SigmaContext>;
  readonly #problems: Problem[] = [];

  constructor(context: Required<SigmaContext>) {
    this.#context = context;
  }

  load(documents: readonly SigmaDocument[]): SigmaLoaded {
    const warn = (found: Problem): void => void this.#problems.push(found);
    const of = (kind: SigmaDocument["kind"]): MappingValue[] =>
      documents.filter((document) => document.kind === kind).map(({ mapping }) => mapping);
    const read = of("rule").flatMap((mapping) => this.#guarded(() => readRule(mapping, warn)) ?? []);
    const filters = of("filter").flatMap((mapping) => this.#guarded(() => readFilter(mapping, warn)) ?? []);
    for (const filter of filters) this.#warnOfUnused(filter, read);
    const pipelines = this.#pipelines(of("pipeline"));
    const rules = read.flatMap((rule) => this.#guarded(() => this.#rule(rule, filters, pipelines)) ?? []);
    const correlations = of("correlation").map((mapping) => ({ mapping, place: mapping.place }));
    return { rules, correlations, problems: this.#problems };
  }

  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ItemError)) throw error;
      this.#problems.push(error.problem);
      return undefined;
    }
  }

  /** Pipelines in their order: by priority, and where that is the same as they stand. */
  #pipelines(mappings: readonly MappingValue[]): Pipeline[] {
    const found: Pipeline[] = [];
    for (const mapping of mappings) {
      const result = this.#guarded(() => readPipeline(mapping));
      if (!result) continue;
      if ("code" in result) this.#problems.push(result);
      else found.push(result);
    }
    return found.sort((left, right) => left.priority - right.priority);
  }

  #warnOfUnused({ rules, place, item }: SigmaFilter, read: readonly SigmaRule[]): void {
    for (const name of rules === "any" ? [] : rules) {
      if (read.some((rule) => isNamed(rule, name))) continue;
      this.#problems.push(problem("SIGMA_FILTER_UNUSED", `no rule is called '${name}'`, place, item));
    }
  }

  #rule(written: SigmaRule, filters: readonly SigmaFilter[], pipelines: readonly Pipeline[]): Rule {
    const rule = processed(written, pipelines);
    const found = this.#context.viewsOf(rule.logsource);
    if ("refusal" in found) return fail("SIGMA_LOGSOURCE_UNSERVED", found.refusal, rule.place, rule.item);
    const priority = PRIORITY_OF_LEVEL.get(rule.level);
    if (priority === undefined) {
      const message = `'${rule.level}' is no level of Sigma; taken for medium`;
      this.#problems.push(problem("SIGMA_LEVEL_UNKNOWN", message, rule.place, rule.item));
    }
    const applied = filters
      .filter((filter) => applies(filter, written))
      .map((filter) => processedFilter(filter, written, pipelines));
    const lowering = new Lowering(this.#context.placeholders);
    const named = namedFields([rule, ...applied]);
    const views = found.views.filter(({ only }) => !only || only.some((name) => named.has(name)));
    const expression = or(views.map((view) => and([view.scope, lowering.lower([rule, ...applied], view)])));
    this.#checkFields(rule, { ...found, views }, expression, lowering.unserved);
    return {
      language: "sigma",
      name: rule.title,
      ...(rule.id !== undefined && { id: rule.id }),
      ...(rule.alias !== undefined && { alias: rule.alias }),
      description: rule.description,
      priority: priority ?? (PRIORITY_OF_LEVEL.get("medium") as number),
      tags: rule.tags,
      source: "syscall",
      enabled: true,
      place: `${rule.place.file}:${rule.place.line}`,
      location: rule.place,
      condition: rule.conditions.map(({ text }) => text).join(" or "),
      ...outputOf(rule, views),
      expression,
      termsOf: (name) => views.flatMap((view) => view.field(name) ?? []),
    };
  }

  /** A rule that can never match is refused; one that still can is warned of with what it asks for in vain. */
  #checkFields(rule: SigmaRule, found: Views, expression: Expression, unserved: Lowering["unserved"]): void {
    // A field of one kind of record need not be one of the others.
    const nowhere = [...unserved].filter(([, count]) => count === found.views.length).map(([name]) => `'${name}'`);
    const reasons = [
      ...(nowhere.length > 0 ? [`no event of this logsource has ${nowhere.join(", ")}`] : []),
      ...reasonsOf(rule, found),
    ];
    if (isImpossible(expression)) {
      const why = reasons.join("; ") || "no event of this logsource has the values asked for";
      fail("SIGMA_NEVER_MATCHES", `the rule can never match: ${why}`, rule.place, rule.item);
    }
    if (reasons.length === 0) return;
    const message = `${reasons.join("; ")}: tests of that are false`;
    this.#problems.push(problem("SIGMA_FIELD_UNSERVED", message, rule.place, rule.item));
  }
}

/** What the logsource says of texts that its fields never have. */
function reasonsOf(rule: SigmaRule, { inVain }: Views): string[] {
  const reasons = new Set<string>();
  for (const item of itemsOf([rule])) {
    for (const { value } of inVain ? item.values : []) {
      if (value.kind !== "string" || item.field === undefined) continue;
      const whole = plainText(value.pattern);
      const text = whole ?? value.pattern.map((part) => ("text" in part ? part.text : "*")).join("");
      const reason = inVain?.(item.field, text, whole !== undefined);
      if (reason !== undefined) reasons.add(reason);
    }
  }
  return [...reasons];
}

/** Whether an expression is false of every event type. Only fields with few values can show that by themselves. */
function isImpossible(expression: Expression): boolean {
  if (expression === NEVER) return true;
  if (![...fieldsOf(expression)].some(({ field }) => field.valuesOn)) return false;
  return EVERY_EVENT.every((id) => specialiser(id)(expression) === NEVER);
}

/** Whether a rule is meant by a reference in a filter or a correlation: its id, its name, or its title. */
export function isNamed(
  rule: Pick<Rule, "id" | "alias"> & { title?: string; name?: string },
  reference: string,
): boolean {
  return [rule.id, rule.alias, rule.title ?? rule.name].includes(reference);
}

function applies(filter: SigmaFilter, rule: SigmaRule): boolean {
  if (filter.rules !== "any" && !filter.rules.some((name) => isNamed(rule, name))) return false;
  return isWithin(rule.logsource, filter.logsource);
}

/** A filter's logsource names less than, or the same as, that of the rules it is for. */
function isWithin(logsource: Logsource | undefined, wider: Logsource | undefined): boolean {
  return Object.entries(wider ?? {}).every(([key, value]) => logsource?.[key as keyof Logsource] === value);
}
