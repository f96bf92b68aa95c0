// Turns rules files into checked rules: read, put together, lists and macros put in, conditions and outputs checked.

import type { Correlation } from "../correlation/correlation.ts";
import { loadCorrelations } from "../correlation/load.ts";
import type { CorrelatedRule } from "../correlation/resolve.ts";
import { type Format, parseFormat, termsOfFormat } from "../engine/format.ts";
import { findField } from "../fields/catalogue.ts";
import { EVENT_NAMES } from "../fields/event-names.ts";
import type { Node } from "../language/ast.ts";
import { type CheckContext, type Checked, type CheckResult, check, type Refusal } from "../language/check.ts";
import { type Expression, fieldsOf, type Term, termName } from "../language/expression.ts";
import { withMacros } from "../language/macros.ts";
import { parse } from "../language/parse.ts";
import { type Place, type Problem, type ProblemCode, problem } from "../problem.ts";
import { type SigmaDocument, withActions } from "../sigma/documents.ts";
import { loadSigma, type SigmaContext } from "../sigma/load.ts";
import { Collector } from "./collector.ts";
import { ItemError, type ItemName } from "./decode.ts";
import { matchesTooManyEvents } from "./event-names.ts";
import { withExceptions } from "./exceptions.ts";
import type { ExtraField } from "./extra-outputs.ts";
import type { MacroItem, RuleItem } from "./items.ts";
import { CONDITION_CHARACTERS_MAX, type ResolvedList, resolveLists, substituteLists } from "./lists.ts";
import type { MappedText } from "./mapped-text.ts";
import { readFile } from "./read.ts";
import type { MappingValue } from "./yaml.ts";

/** A file of rules; `name` is how problems and rules refer to it. */
export interface RulesFile {
  name: string;
  text: string;
}

/** A rule that can be compiled, of either language. */
export interface Rule {
  language: "falco" | "sigma";
  /** Sigma's title. */
  name: string;
  /** What else a Sigma rule may be referred to by: its UUID, and its `name`. */
  id?: string;
  alias?: string;
  description: string;
  /** Number in the enum Priority of detections: 1 is worst. */
  priority: number;
  tags: readonly string[];
  source: string;
  enabled: boolean;
  /** Where the rule stands, as "file:line", and with its column. */
  place: string;
  location: Place;
  /** The condition with lists and exceptions put in; of a rule of Falco's its tree, with macros put in, too. */
  condition: string;
  tree?: Node;
  /** The output with what files append to it, and taken apart. */
  output: string;
  format: Format;
  /** Fields that its matches carry beside those that the output and the condition name. */
  extraFields?: readonly ExtraField[];
  expression: Expression;
  /** What a field's name means to a Sigma rule: it may be something else in each kind of record that it is for. */
  termsOf?: (name: string) => readonly Term[];
}

export interface LoadResult {
  /** All rules without a fault, in the order of their first definition, Falco's first; those not enabled too. */
  rules: Rule[];
  correlations: Correlation[];
  /** What correlations need of the rules they are about, by the rule's name. */
  correlated: ReadonlyMap<string, CorrelatedRule>;
  problems: Problem[];
}

/** Which fields and events there are; the sensor's own unless told otherwise. */
export interface LoadContext extends Pick<CheckContext, "findField" | "isEventName"> {
  sigma?: SigmaContext;
}

const OWN_CONTEXT: LoadContext = { findField, isEventName: (name) => EVENT_NAMES.has(name) };

/**
 * Loads rules files in order. Never throws on what the files hold: an item with a fault is left out and told of in
 * `problems`, and the others load.
 */
export function loadRules(files: readonly RulesFile[], context: LoadContext = OWN_CONTEXT): LoadResult {
  const collector = new Collector(context);
  const problems: Problem[] = [];
  const documents: SigmaDocument[] = [];
  for (const file of files) {
    const found: MappingValue[] = [];
    problems.push(...readFile(file.name, file.text, collector, found));
    problems.push(...collector.problems.splice(0));
    documents.push(...withActions(found));
  }
  const { findField, staticFields } = collector;
  const loader = new Loader(collector, { ...context, findField });
  const rules = loader.rules();
  const sigma = loadSigma(documents, context.sigma);
  const all = [...rules, ...sigma.rules];
  const outputs = collector.extraOutputs.apply(all, { findField, staticNames: staticFields.names });
  const found = loadCorrelations(sigma.correlations, all, context);
  return {
    rules: outputs.rules,
    correlations: found.correlations,
    correlated: found.rules,
    problems: [...problems, ...loader.problems, ...sigma.problems, ...outputs.problems, ...found.problems],
  };
}

/** How many macros may wait for one another to be checked: only those that are defined twice do. */
const MACROS_UNDER_WAY_MAX = 64;

/** A macro once it has been parsed and checked. */
interface ParsedMacro {
  item: MacroItem;
  text: MappedText;
  node?: Node;
  /** The same with the macros in it put in. */
  tree?: Node;
  result?: Checked | { refusal: Refusal };
  warnings: CheckResult["warnings"];
  /** Where its fault is. */
  place?: Place;
  used: boolean;
}

class Loader {
  readonly problems: Problem[] = [];
  readonly #collector: Collector;
  readonly #context: LoadContext;
  readonly #lists: ResolvedList[];
  readonly #macros = new Map<string, ParsedMacro>();
  #macrosUnderWay = 0;

  constructor(collector: Collector, context: LoadContext) {
    this.#collector = collector;
    this.#context = context;
    this.#lists = resolveLists(collector.lists);
    for (const item of collector.macros.values()) this.#parseMacro(item);
    // In this order each finds those it holds checked already, but for some that were defined twice.
    const inOrder = [...this.#macros.values()].sort((a, b) => a.item.visibility - b.item.visibility);
    for (const macro of inOrder) this.#checkMacro(macro);
    for (const macro of this.#macros.values()) this.#reportFaultOfMacros(macro);
  }

  rules(): Rule[] {
    const rules = [...this.#collector.rules.values()].flatMap((item) => this.#rule(item) ?? []);
    this.#warnOfUnused();
    return rules;
  }

  #report(code: ProblemCode, message: string, place: Place, item: ItemName): undefined {
    this.problems.push(problem(code, message, place, item));
  }

  /** Puts the lists into a condition and parses it. Undefined where that fails, which is then told of. */
  #parse(condition: MappedText, named: ItemName): { text: MappedText; node: Node } | undefined {
    const text = substituteLists(condition, this.#lists);
    if (!text) {
      const message = `the condition has more than ${CONDITION_CHARACTERS_MAX} characters when its lists are put in`;
      return this.#report("RULES_TOO_LARGE", message, condition.place(0), named);
    }
    const { node, problem: fault } = parse(text.text);
    if (node) return { text, node };
    return this.#report("LOAD_ERR_COMPILE_CONDITION", fault.message, text.place(fault.offset), named);
  }

  #parseMacro(item: MacroItem): void {
    const parsed = this.#parse(item.condition, { type: "macro", name: item.name });
    const macro: ParsedMacro = { item, text: parsed?.text ?? item.condition, used: false, warnings: [] };
    if (parsed) macro.node = parsed.node;
    else macro.result = { refusal: { message: `macro '${item.name}' has an error`, offset: 0 } };
    this.#macros.set(item.name, macro);
  }

  /** The macro of that name, if what stands at `visibility` can see it. */
  #macro(name: string, visibility: number): Checked | { refusal: Refusal } | undefined {
    const macro = this.#macros.get(name);
    if (!macro || macro.item.index >= visibility) return undefined;
    macro.used = true;
    return macro.result ?? this.#checkMacro(macro);
  }

  #checkMacro(macro: ParsedMacro): Checked | { refusal: Refusal } {
    if (macro.result) return macro.result;
    const { item, text } = macro;
    if (this.#macrosUnderWay >= MACROS_UNDER_WAY_MAX) {
      return { refusal: { message: "macros stand in one another too deeply", offset: 0 } };
    }
    // Until it is checked it is not there for itself.
    macro.result = { refusal: { message: `reference loop in macro '${item.name}'`, offset: 0, ofMacros: "loop" } };
    this.#macrosUnderWay++;
    const { checked, refusal, warnings } = this.#check(macro.node as Node, text, item.visibility);
    this.#macrosUnderWay--;
    macro.warnings = warnings;
    if (refusal) macro.place = this.#faultPlace(refusal, text);
    macro.result = checked ?? { refusal: refusal as Refusal };
    return macro.result;
  }

  /** A macro that names one that is not there is told of even if no rule uses it, as in Falco. */
  #reportFaultOfMacros({ item, result, place }: ParsedMacro): void {
    if (!result || !("refusal" in result) || !result.refusal.ofMacros || result.refusal.macro !== undefined) return;
    this.#report("LOAD_ERR_VALIDATE", result.refusal.message, place as Place, { type: "macro", name: item.name });
  }

  /** The tree of a macro without a fault, with other macros put in: once, whoever holds it. */
  #tree(name: string): Node | undefined {
    const macro = this.#macros.get(name);
    if (macro?.node && !macro.tree) macro.tree = withMacros(macro.node, (inner) => this.#tree(inner));
    return macro?.tree;
  }

  #faultPlace(refusal: Refusal, text: MappedText): Place {
    const inMacro = refusal.macro === undefined ? undefined : this.#macros.get(refusal.macro)?.place;
    return inMacro ?? text.place(refusal.offset);
  }

  #check(node: Node, text: MappedText, visibility: number): CheckResult {
    return check(node, { ...this.#context, text, macro: (name) => this.#macro(name, visibility) });
  }

  #warn(warnings: CheckResult["warnings"], text: MappedText, item: ItemName): void {
    for (const { message, offset } of warnings)
      this.#report("LOAD_COMPILE_CONDITION", message, text.place(offset), item);
  }

  #rule(item: RuleItem): Rule | undefined {
    const named = { type: "rule", name: item.name };
    if (item.foreign) return undefined;
    let condition: MappedText;
    try {
      condition = withExceptions(item.condition, item.exceptions);
    } catch (error) {
      if (!(error instanceof ItemError)) throw error;
      this.problems.push(error.problem);
      return undefined;
    }
    const parsed = this.#parse(condition, named);
    if (!parsed) return undefined;
    const { text, node } = parsed;
    const { checked, refusal, warnings } = this.#check(node, text, Number.POSITIVE_INFINITY);
    this.#warn(warnings, text, named);
    if (!checked) return this.#refuse(refusal as Refusal, text, item, named);
    const format = this.#format(item, named);
    if (!format) return undefined;
    this.#warnOfDeprecated(fieldsOf(checked.expression), "condition", item.condition.place(0), named);
    this.#warnOfEventTypes(item, node, named);
    return {
      language: "falco",
      name: item.name,
      description: item.description,
      priority: item.priority,
      tags: item.tags,
      source: item.source,
      enabled: item.enabled,
      place: `${item.place.file}:${item.place.line}`,
      location: item.place,
      condition: text.text,
      tree: withMacros(node, (name) => this.#tree(name)),
      output: item.output.text.trim(),
      format,
      expression: checked.expression,
    };
  }

  #refuse(refusal: Refusal, text: MappedText, item: RuleItem, named: ItemName): undefined {
    const place = this.#faultPlace(refusal, text);
    if (refusal.unknown && item.skipsUnknown) return this.#report("LOAD_UNKNOWN_FILTER", refusal.message, place, named);
    if (refusal.tooLarge) return this.#report("RULES_TOO_LARGE", refusal.message, place, named);
    const code = refusal.ofMacros ? "LOAD_ERR_VALIDATE" : "LOAD_ERR_COMPILE_CONDITION";
    return this.#report(code, refusal.message, place, named);
  }

  #format(item: RuleItem, named: ItemName): Format | undefined {
    const output = expandInfo(item.output.text.trim());
    const result = parseFormat(output, this.#context);
    if ("format" in result) {
      this.#warnOfDeprecated(termsOfFormat(result.format).values(), "output", item.output.place(0), named);
      return result.format;
    }
    const place = item.output.place(result.offset);
    const code = item.skipsUnknown ? "LOAD_UNKNOWN_FILTER" : "LOAD_ERR_COMPILE_OUTPUT";
    return this.#report(code, result.message, place, named);
  }

  #warnOfDeprecated(terms: Iterable<Term>, where: string, place: Place, named: ItemName): void {
    const term = [...terms].find((each) => each.kind === "field" && DEPRECATED_FIELDS.has(each.field.name));
    if (!term) return;
    const message = `usage of deprecated field '${termName(term)}' has been detected in the rule ${where}`;
    this.#report("LOAD_DEPRECATED_ITEM", message, place, named);
  }

  #warnOfEventTypes(item: RuleItem, node: Node, named: ItemName): void {
    if (!item.warnsOfEventTypes || !matchesTooManyEvents(node, (name) => this.#macros.get(name)?.node)) return;
    const message = "Rule matches too many evt.type values. This has a significant performance penalty.";
    this.#report("LOAD_NO_EVTTYPE", message, item.place, named);
  }

  #warnOfUnused(): void {
    for (const { item, used, warnings, text } of this.#macros.values()) {
      const named = { type: "macro", name: item.name };
      if (used) this.#warn(warnings, text, named);
      else this.#report("LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro", item.place, named);
    }
    for (const { name, used } of this.#lists) {
      const list = this.#collector.lists.get(name);
      if (used || !list) continue;
      this.#report("LOAD_UNUSED_LIST", "List not referred to by any other rule/macro", list.place, {
        type: "list",
        name,
      });
    }
  }
}

/** The fields of which Falco says that they are deprecated. */
const DEPRECATED_FIELDS = new Set(["evt.dir"]);

/** Falco's old word for what containers put in outputs. */
function expandInfo(output: string): string {
  return output.replaceAll("%container.info", "container_id=%container.id container_name=%container.name");
}
