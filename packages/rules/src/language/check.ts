// Checks a syntax tree against the catalogue and lowers it: names to fields, operators to tests, macros to their parts.
import type { Field } from "../fields/definition.ts";
import type { Node, Operand as OperandNode } from "./ast.ts";
import {
  and,
  type Expression,
  not,
  type Origin,
  or,
  type Term,
  type Test,
  termName,
  writeSource,
} from "./expression.ts";
import { macrosIn } from "./macros.ts";
import { misuses } from "./misuse.ts";
import { LIST_OPERATORS, pairOf } from "./operators.ts";
import { NESTING_MAX } from "./parser.ts";
import { TRANSFORMER_ROWS, type Transformer } from "./transformers.ts";
import { VALUE_WORD } from "./words.ts";

/** How many parts a condition may have when its macros are put in; shared parts count each time. */
export const CONDITION_PARTS_MAX = 100_000;

/** A checked condition, with what it costs: how deep it nests and how many parts it has. */
export interface Checked {
  expression: Expression;
  depth: number;
  parts: number;
}

/** Why a condition is refused. `unknown` where a field or event type is not known: such rules may ask to be skipped. */
export interface Refusal {
  message: string;
  offset: number;
  unknown?: true;
  tooLarge?: true;
  /** A macro that is not there, or one that leads back to itself: Falco reports these as faults of the item. */
  ofMacros?: "undefined" | "loop";
  /** The macro in which the fault lies; then the offset is that of the outermost macro's name. */
  macro?: string;
}

export interface CheckContext {
  findField: (name: string, argument?: string) => { field: Field; argument?: string } | undefined;
  isEventName: (name: string) => boolean;
  /** What knows the places of the condition's text; without it tests do not tell where they were written. */
  text?: Origin["text"];
  /** What a macro stands for; undefined where there is none of that name, or a refusal where it has a fault. */
  macro: (name: string) => Checked | undefined | { refusal: Refusal };
}

export interface CheckResult {
  checked?: Checked;
  refusal?: Refusal;
  warnings: { message: string; offset: number }[];
}

class RefusalError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Checks and lowers one condition. Gives either what was made of it or the first reason why it cannot be. */
export function check(node: Node, context: CheckContext): CheckResult {
  const checker = new Checker(context);
  try {
    // Falco puts macros in before it looks at anything else, so their faults come first.
    for (const { name, offset } of macrosIn(node)) checker.macro(name, offset, "names");
    return { checked: checker.node(node), warnings: checker.warnings };
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    return { refusal: error.refusal, warnings: checker.warnings };
  }
}

/** Checks an operand that stands alone, as in an output, where fields for outputs only are welcome. */
export function checkTerm(node: OperandNode, context: Pick<CheckContext, "findField">): { term: Term } | Refusal {
  const checker = new Checker({ isEventName: () => true, macro: () => undefined, ...context }, true);
  try {
    return { term: checker.term(node) };
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    return error.refusal;
  }
}

class Checker {
  readonly #context: CheckContext;
  readonly #forOutput: boolean;
  readonly warnings: CheckResult["warnings"] = [];

  constructor(context: CheckContext, forOutput = false) {
    this.#context = context;
    this.#forOutput = forOutput;
  }

  node(node: Node): Checked {
    if (node.kind === "check") return { expression: this.#comparison(node), depth: 1, parts: 1 };
    if (node.kind === "macro") return this.macro(node.name, node.offset) as Checked;
    if (node.kind === "not") {
      const { expression, depth, parts } = this.node(node.child);
      return limited({ expression: not(expression), depth: depth + 1, parts: parts + 1 }, node.offset);
    }
    const children = node.children.map((child) => this.node(child));
    const expressions = children.map(({ expression }) => expression);
    return limited(
      {
        expression: node.kind === "and" ? and(expressions) : or(expressions),
        depth: 1 + Math.max(...children.map(({ depth }) => depth)),
        parts: children.reduce((sum, { parts }) => sum + parts, 1),
      },
      node.offset,
    );
  }

  /** What a macro stands for. Where only `names` are asked for, no fault within it counts but one of macros. */
  macro(name: string, offset: number, asked?: "names"): Checked | undefined {
    const found = this.#context.macro(name);
    if (!found) return refuse({ message: `Undefined macro '${name}' used in filter.`, offset, ofMacros: "undefined" });
    if (!("refusal" in found)) return found;
    const { refusal } = found;
    if (asked === "names" && !refusal.ofMacros) return undefined;
    return refuse({ ...(refusal.ofMacros !== "loop" && { macro: name }), ...refusal, offset });
  }

  #comparison(node: Node & { kind: "check" }): Expression {
    const left = this.term(node.left);
    const { text } = this.#context;
    const origin = text && { text, offset: node.offset };
    if (node.operator === "exists") return test("exists", left, true, "exists", origin);
    const pair = pairOf(node.operator, left.type, left.list && severalOf(left) === "list");
    if ("message" in pair) return refuse({ message: pair.message, offset: node.offset });
    const { right } = node;
    if (right.kind === "operand") return this.#againstTerm(node, left, right.operand, origin);
    const values = right.kind === "values" ? right.values : right.kind === "value" ? [right] : [];
    for (const { value, offset } of values) this.#inspect(left, node.operator, value, offset);
    const each = (): Expression[] =>
      values.map(({ value, offset }) => {
        const operand = this.#prepared(pair.prepare(value), offset);
        return test(pair.test, left, operand, writeSource(node.operator, [value]), origin);
      });
    if (node.quantifier === "oneof") return values.length === 0 ? or([]) : { kind: "exactly-one", parts: each() };
    if (node.quantifier === "anyof") return or(each());
    if (node.quantifier === "allof") return values.length === 0 ? or([]) : and(each());
    if (right.kind === "value") return each()[0] as Expression;
    // Of a list, `in` wants every value found and `intersects` one of them: the same test, put differently.
    if (node.operator === "intersects" && severalOf(left) === "list") return this.#intersects(each());
    if (!pair.prepareAll) return or(each());
    if (values.length === 0) return or([]);
    const texts = values.map(({ value }) => value);
    const operand = this.#prepared(pair.prepareAll(texts), right.offset);
    return test(pair.test, left, operand, writeSource(node.operator, texts), origin);
  }

  #intersects(tests: Expression[]): Expression {
    return or(
      tests.map((each) => {
        const single = each as Test;
        return { ...single, several: "any" as const, operand: new Set([single.operand]) };
      }),
    );
  }

  #prepared(prepared: { operand: unknown } | { message: string }, offset: number): unknown {
    return "message" in prepared ? refuse({ message: prepared.message, offset }) : prepared.operand;
  }

  /** A comparison with another field's value. */
  #againstTerm(node: Node & { kind: "check" }, left: Term, operand: OperandNode, origin?: Origin): Expression {
    const right = this.term(operand);
    const value = right.kind === "call" && right.name === VALUE_WORD ? (right.terms[0] as Term) : right;
    if (value.kind === "field" && !value.field.rightHand) {
      refuse({ message: `field '${value.field.name}' cannot be used as a right-hand side`, offset: operand.offset });
    }
    if (left.kind === "field" && !left.field.rightHand) {
      refuse({ message: `field '${left.field.name}' cannot be compared with another field`, offset: node.offset });
    }
    if (value.type !== left.type && value.type !== "dynamic" && left.type !== "dynamic") {
      refuse({ message: `cannot compare a ${left.type} with a ${value.type}`, offset: operand.offset });
    }
    const pair = pairOf(node.operator, left.type, left.list && severalOf(left) === "list");
    if ("message" in pair) return refuse({ message: pair.message, offset: node.offset });
    if (LITERAL_ONLY.has(node.operator)) {
      refuse({ message: `'${node.operator}' takes what is written down, not another field`, offset: node.offset });
    }
    if (value.list && !LIST_OPERATORS.has(node.operator)) {
      refuse({ message: `'${node.operator}' cannot compare with a list`, offset: operand.offset });
    }
    const source = `${node.operator} ${VALUE_WORD}(${termName(value)})`;
    const name = TERM_TESTS.get(node.operator) ?? pair.test;
    const made = { ...test(name, left, undefined, source, origin), right: value };
    return made.several === "list" && node.operator === "intersects" ? { ...made, several: "any" } : made;
  }

  term(node: OperandNode): Term {
    if (node.kind === "text") return { kind: "text", value: node.value, type: "string", list: false };
    if (node.kind === "list") {
      const terms = node.operands.map((operand) => this.term(operand));
      return { kind: "list", terms, type: "string", list: true };
    }
    return node.kind === "field" ? this.#field(node) : this.#call(node);
  }

  #field(node: OperandNode & { kind: "field" }): Term {
    const found = this.#context.findField(node.name, node.argument);
    const { offset } = node;
    if (!found)
      return refuse({ message: `filter_check called with nonexistent field ${node.name}`, offset, unknown: true });
    const { field, argument } = found;
    if (field.filterOnly && this.#forOutput)
      refuse({ message: `field '${field.name}' can only be used in conditions`, offset });
    if (field.printOnly && !this.#forOutput)
      refuse({ message: `field '${field.name}' can only be used in outputs`, offset });
    if (field.argument === "required" && argument === undefined) {
      refuse({ message: `filter error: field '${field.name}' requires an argument`, offset });
    }
    if (field.argument === "none" && node.argument !== undefined) {
      refuse({ message: `filter error: field '${field.name}' does not take an argument`, offset });
    }
    if (argument !== undefined && field.getter && !field.getter(argument)) {
      refuse({ message: `filter error: '${argument}' is no argument for field '${field.name}'`, offset });
    }
    const several = argument === undefined ? field.several : undefined;
    const term = { kind: "field" as const, field, type: field.type, list: several !== undefined };
    return argument === undefined ? term : { ...term, argument };
  }

  #call(node: OperandNode & { kind: "call" }): Term {
    const row = TRANSFORMER_ROWS.get(node.name);
    const { offset } = node;
    if (!row) return refuse({ message: `unknown transformer '${node.name}'`, offset });
    if (node.argument !== undefined && !row.argument) {
      refuse({ message: `filter error: transformer '${node.name}' does not support field arguments`, offset });
    }
    if (node.argument !== undefined && row.argument && !row.argument.pattern.test(node.argument)) {
      refuse({ message: row.argument.refusal, offset });
    }
    const terms = node.operands.map((operand) => this.term(operand));
    const [least, most] = row.count;
    if (terms.length < least || terms.length > most) {
      refuse({ message: `filter error: transformer '${node.name}' does not take ${terms.length} arguments`, offset });
    }
    for (const [at, term] of terms.entries()) {
      const fault = faultOfOperand(node.name, row, at, term);
      if (fault !== undefined) refuse({ message: fault, offset: (node.operands[at] as OperandNode).offset });
    }
    const [first] = terms;
    const type = row.gives === "dynamic" ? (first?.type ?? "string") : row.gives;
    const list =
      row.givesList === "as operand"
        ? first?.list === true
        : row.givesList !== undefined && node.argument === undefined;
    const call = { kind: "call" as const, name: node.name, terms, type, list };
    return node.argument === undefined ? call : { ...call, argument: node.argument };
  }

  /** Event types must exist; and what is legal but hardly meant is warned of. */
  #inspect(left: Term, operator: string, value: string, offset: number): void {
    const name = left.kind === "field" ? left.field.name : "";
    if (name === "evt.type" && EXACT.has(operator) && !this.#context.isEventName(value)) {
      refuse({ message: `unknown event type ${value}`, offset, unknown: true });
    }
    for (const message of misuses(operator, value, this.#context)) this.warnings.push({ message, offset });
  }
}

/** Prepared once, so that no other field can stand on the right. */
const LITERAL_ONLY = new Set(["regex", "pmatch"]);

/** Against a term, a list operator asks whether the value is among its values. */
const TERM_TESTS: ReadonlyMap<string, Test["test"]> = new Map([
  ["in", "among"],
  ["intersects", "among"],
  ["glob", "fits"],
  ["iglob", "fits-ignoring-case"],
  ["icontains", "contains-text-ignoring-case"],
]);

const EXACT = new Set(["=", "==", "!=", "in", "intersects"]);
function severalOf(term: Term): Field["several"] {
  if (term.kind === "field" && term.argument === undefined) return term.field.several;
  return term.list ? "list" : undefined;
}

/** What is wrong with an operand of a transformer; undefined where nothing is. */
function faultOfOperand(name: string, row: Transformer, at: number, term: Term): string | undefined {
  const shape = row.operands[Math.min(at, row.operands.length - 1)];
  const words = shape === "words" && term.kind !== "text";
  if (term.list ? shape === "single" : shape === "list" || (shape === "words" && !words)) {
    return `filter error: argument ${at + 1} of transformer '${name}' must ${term.list ? "not " : ""}be a list`;
  }
  const takes = (term.list && row.takesInLists) || row.takes;
  for (const each of term.kind === "list" ? term.terms : [term]) {
    if (each.kind === "field" && !each.field.transformable && name !== VALUE_WORD) {
      return `field '${each.field.name}' does not support transformers`;
    }
    if (!takes.includes(each.type)) return `transformer '${name}' does not support a ${each.type}`;
  }
  return undefined;
}

function test(name: Test["test"], left: Term, operand: unknown, source: string, origin?: Origin): Test {
  const several = severalOf(left);
  return { kind: "test", test: name, left, operand, source, ...(several && { several }), ...(origin && { origin }) };
}

function limited(checked: Checked, offset: number): Checked {
  if (checked.depth > NESTING_MAX) refuse({ message: `exceeded max depth limit of ${NESTING_MAX}`, offset });
  if (checked.parts > CONDITION_PARTS_MAX) {
    const message = `the condition has more than ${CONDITION_PARTS_MAX} parts when its macros are put in`;
    refuse({ message, offset, tooLarge: true });
  }
  return checked;
}

function refuse(refusal: Refusal): never {
  throw new RefusalError(refusal);
}
