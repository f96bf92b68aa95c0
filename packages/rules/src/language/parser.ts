// A recursive descent over Falco's grammar of conditions (libsinsp/filter/parser.h); parse.ts is the way in.
import type { Node, Operand, Quantifier, Right } from "./ast.ts";
import { Lexer } from "./lexer.ts";
import { OPERATORS, TRANSFORMERS, VALUE_WORD } from "./words.ts";

/** How deep parentheses and transformers may stand in one another; macros count with what they hold. */
export const NESTING_MAX = 1000;

const OPERAND_EXPECTED =
  "expected field transformer argument: field, transformer, quoted string, number, or transformer list";

/** What has been read of one pair of parentheses, or of the whole condition. */
interface Group {
  /** Finished alternatives, and the parts of the one being read. */
  alternatives: Node[];
  parts: Node[];
  /** How the group itself is taken into the one around it. */
  negated: boolean;
  notOffset: number;
  /** Opened directly behind "or": Falco then takes no "and" behind its end. */
  behindOr: boolean;
}

export class Parser {
  readonly lexer: Lexer;
  #depth = 0;

  constructor(text: string) {
    this.lexer = new Lexer(text);
  }

  /** Reads and, or, not and parentheses with a stack of its own, so that deep nesting cannot exhaust the engine's. */
  condition(): Node {
    const { lexer } = this;
    if (lexer.text.length === 0) lexer.fail("filter input string is empty");
    const groups = [newGroup()];
    this.#operand(groups);
    for (;;) {
      lexer.blank();
      const group = groups.at(-1) as Group;
      if (!group.behindOr && lexer.literal("and")) this.#next(groups, "and");
      else if (lexer.literal("or")) this.#next(groups, "or");
      else if (groups.length === 1) break;
      else if (lexer.literal(")")) this.#close(groups);
      else lexer.fail("expected a ')' token");
    }
    if (!lexer.atEnd) lexer.fail(`unexpected token after '${lexer.last}', expecting 'or', 'and'`);
    return finish(groups[0] as Group);
  }

  /** Reads what follows "and" or "or". */
  #next(groups: Group[], word: "and" | "or"): void {
    const { lexer } = this;
    const group = groups.at(-1) as Group;
    if (word === "or") endAlternative(group);
    if (lexer.blank()) {
      group.behindOr = false;
      this.#operand(groups);
    } else if (lexer.literal("(")) {
      this.#open(groups, false, lexer.offset - 1);
      group.behindOr = word === "or";
      this.#operand(groups);
    } else lexer.fail(`expected blank or '(' after '${word}'`);
  }

  /** Reads nots and opening parentheses up to the first check. */
  #operand(groups: Group[]): void {
    const { lexer } = this;
    for (;;) {
      lexer.blank();
      const { offset } = lexer;
      let negated = false;
      while (lexer.not()) negated = !negated;
      if (lexer.literal("not(")) this.#open(groups, !negated, offset);
      else if (lexer.literal("(")) this.#open(groups, negated, offset);
      else {
        const check = this.#check();
        (groups.at(-1) as Group).parts.push(negated ? { kind: "not", child: check, offset } : check);
        return;
      }
    }
  }

  #open(groups: Group[], negated: boolean, notOffset: number): void {
    this.#enter();
    groups.push({ ...newGroup(), negated, notOffset });
  }

  #close(groups: Group[]): void {
    const group = groups.pop() as Group;
    this.#depth--;
    const child = finish(group);
    const outer = groups.at(-1) as Group;
    outer.parts.push(group.negated ? { kind: "not", child, offset: group.notOffset } : child);
  }

  #check(): Node {
    const { lexer } = this;
    const { offset } = lexer;
    const left = this.operand();
    if (left) return this.#comparison(left, offset);
    const name = lexer.identifier();
    if (name !== undefined) return { kind: "macro", name, offset };
    return lexer.fail("expected a '(' token, a field check, or an identifier");
  }

  /** What may stand left of an operator: a field, or a transformer around some. */
  operand(): Operand | undefined {
    return this.#field() ?? this.#call();
  }

  #comparison(left: Operand, offset: number): Node {
    const { lexer } = this;
    lexer.blank();
    const operator = lexer.operator();
    if (!operator)
      return lexer.fail(`expected a valid check operator: one of ${quotedList(OPERATORS.map(([word]) => word))}`);
    const quantifier = operator.right === "string" ? lexer.quantifier() : undefined;
    const right = this.#right(operator.right, quantifier);
    const check = { kind: "check" as const, left, operator: operator.word, right, offset };
    return quantifier ? { ...check, quantifier } : check;
  }

  #right(shape: "nothing" | "number" | "string" | "list", quantifier: Quantifier | undefined): Right {
    const { lexer } = this;
    const { offset } = lexer;
    if (shape === "nothing") return { kind: "nothing", offset };
    lexer.blank();
    if (shape === "list" || quantifier) return this.#listRight();
    const start = lexer.offset;
    const operand = this.#rightOperand();
    if (operand) return { kind: "operand", operand, offset: start };
    const value = shape === "number" ? lexer.number() : this.#string();
    if (value !== undefined) return { kind: "value", value, offset: start };
    const wanted = shape === "number" ? "number" : "string";
    return lexer.fail(`expected a ${wanted} value or a field with a valid transformer: ${transformerNames()}`);
  }

  #listRight(): Right {
    const { lexer } = this;
    const { offset } = lexer;
    if (lexer.literal("(")) return { kind: "values", values: this.#values(), offset };
    const operand = this.#rightOperand();
    if (operand) return { kind: "operand", operand, offset };
    const name = lexer.identifier();
    if (name !== undefined) return { kind: "values", values: [{ value: name, offset }], offset };
    return lexer.fail(`expected a list, an identifier, or a field with a valid transformer: ${transformerNames()}`);
  }

  /** The values of a list up to its closing parenthesis. */
  #values(): { value: string; offset: number }[] {
    const { lexer } = this;
    const values: { value: string; offset: number }[] = [];
    lexer.blank();
    let { offset } = lexer;
    let value = this.#string();
    while (value !== undefined) {
      values.push({ value, offset });
      lexer.blank();
      if (!lexer.literal(",")) break;
      lexer.blank();
      ({ offset } = lexer);
      value = this.#string() ?? lexer.fail("expected a string value");
    }
    if (!lexer.literal(")")) lexer.fail("expected a ')' token");
    return values;
  }

  /** On the right, a bare field name is a string; `val(field)` and transformers are what refers to a field. */
  #rightOperand(): Operand | undefined {
    const { lexer } = this;
    const { offset } = lexer;
    if (lexer.call((name) => name === VALUE_WORD) === undefined) return this.#call();
    lexer.blank();
    const operand = this.#field() ?? lexer.fail(`expected a field within '${VALUE_WORD}' transformer`);
    this.#closeCall();
    return this.#argument({ kind: "call", name: VALUE_WORD, operands: [operand], offset });
  }

  #field(): Operand | undefined {
    const { offset } = this.lexer;
    const name = this.lexer.field();
    return name === undefined ? undefined : this.#argument({ kind: "field", name, offset });
  }

  /** `[argument]` behind a field or a transformer, if there is one. */
  #argument<T extends Operand & { kind: "field" | "call" }>(operand: T): T {
    const { lexer } = this;
    if (!lexer.literal("[")) return operand;
    const argument = lexer.quoted() ?? lexer.bareArgument();
    if (argument === undefined) lexer.fail("expected a valid field argument: a quoted string or a bare string");
    if (!lexer.literal("]")) lexer.fail("expected a ']' token");
    return { ...operand, argument };
  }

  #call(): Operand | undefined {
    const { lexer } = this;
    const { offset } = lexer;
    const name = lexer.call((candidate) => TRANSFORMERS.includes(candidate));
    if (name === undefined) return undefined;
    this.#enter();
    const operands = this.#operands(() => this.#innerOperand() ?? this.#listOperand());
    this.#closeCall();
    this.#depth--;
    return this.#argument({ kind: "call", name, operands, offset });
  }

  #closeCall(): void {
    this.lexer.blank();
    if (!this.lexer.literal(")")) this.lexer.fail("expected a ')' token closing the transformer");
  }

  /** One operand or several between commas. */
  #operands(read: () => Operand | undefined): Operand[] {
    const { lexer } = this;
    const operands: Operand[] = [];
    do {
      lexer.blank();
      operands.push(read() ?? lexer.fail(OPERAND_EXPECTED));
      lexer.blank();
    } while (lexer.literal(","));
    return operands;
  }

  #innerOperand(): Operand | undefined {
    const { lexer } = this;
    const { offset } = lexer;
    const value = lexer.number() ?? lexer.quoted();
    return value === undefined ? (this.#call() ?? this.#field()) : { kind: "text", value, offset };
  }

  #listOperand(): Operand | undefined {
    const { lexer } = this;
    const { offset } = lexer;
    if (!lexer.literal("(")) return undefined;
    lexer.blank();
    if (lexer.literal(")")) return { kind: "list", operands: [], offset };
    const operands = this.#operands(() => this.#innerOperand());
    if (!lexer.literal(")")) lexer.fail("expected a ')' token");
    return { kind: "list", operands, offset };
  }

  #string(): string | undefined {
    return this.lexer.quoted() ?? this.lexer.bareString();
  }

  #enter(): void {
    this.#depth++;
    if (this.#depth >= NESTING_MAX) this.lexer.fail(`exceeded max depth limit of ${NESTING_MAX}`);
  }
}

function newGroup(): Group {
  return { alternatives: [], parts: [], negated: false, notOffset: 0, behindOr: false };
}

function endAlternative(group: Group): void {
  const { parts } = group;
  const offset = (parts[0] as Node).offset;
  group.alternatives.push(parts.length === 1 ? (parts[0] as Node) : { kind: "and", children: parts, offset });
  group.parts = [];
}

function finish(group: Group): Node {
  endAlternative(group);
  const { alternatives } = group;
  if (alternatives.length === 1) return alternatives[0] as Node;
  return { kind: "or", children: alternatives, offset: (alternatives[0] as Node).offset };
}

function quotedList(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(", ");
}

function transformerNames(): string {
  return quotedList([VALUE_WORD, ...TRANSFORMERS]);
}
