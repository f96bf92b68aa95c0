// The condition of a temporal correlation where it is written as an expression: which of its rules must have matched.

/** An expression over references; a number is a reference's index. */
export type RuleExpression =
  | { kind: "reference"; index: number }
  | { kind: "not"; part: RuleExpression }
  | { kind: "and" | "or"; parts: RuleExpression[] };

/** How deep parentheses and "not" may stand in one another. */
const NESTING_MAX = 100;
const TOKEN = /\s*(?:(\(|\))|([^\s()]+))/y;

/**
 * Reads "a and (b or not c)", where `indices` are the references by what they are called; "not" binds closest, then
 * "and", as in Sigma's conditions. Gives a message where it is no such expression.
 */
export function parseRuleExpression(
  text: string,
  indices: ReadonlyMap<string, number>,
): { expression: RuleExpression } | { message: string } {
  const reader = new ExpressionReader(text, indices);
  try {
    return { expression: reader.whole() };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { message: error.message };
  }
}

/** Whether it holds of the references that have matched. */
export function holds(expression: RuleExpression, matched: (index: number) => boolean): boolean {
  switch (expression.kind) {
    case "reference":
      return matched(expression.index);
    case "not":
      return !holds(expression.part, matched);
    case "and":
      return expression.parts.every((part) => holds(part, matched));
    case "or":
      return expression.parts.some((part) => holds(part, matched));
  }
}

/** Whether a further match can make it false. */
export function hasNot(expression: RuleExpression): boolean {
  if (expression.kind === "reference") return false;
  return expression.kind === "not" || expression.parts.some(hasNot);
}

class ExpressionError extends Error {}

class ExpressionReader {
  readonly #tokens: string[] = [];
  readonly #indices: ReadonlyMap<string, number>;
  #at = 0;
  #depth = 0;

  constructor(text: string, indices: ReadonlyMap<string, number>) {
    this.#indices = indices;
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) this.#tokens.push(match[1] ?? match[2] ?? "");
  }

  whole(): RuleExpression {
    const expression = this.#list("or");
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new ExpressionError(`unexpected '${rest}' in the condition`);
    return expression;
  }

  #list(kind: "and" | "or"): RuleExpression {
    const parts: RuleExpression[] = [];
    do parts.push(kind === "or" ? this.#list("and") : this.#one());
    while (this.#takes(kind));
    return parts.length === 1 ? (parts[0] as RuleExpression) : { kind, parts };
  }

  #one(): RuleExpression {
    if (++this.#depth > NESTING_MAX) throw new ExpressionError("the condition is nested too deeply");
    let expression: RuleExpression;
    if (this.#takes("not")) expression = { kind: "not", part: this.#one() };
    else if (this.#takes("(")) {
      expression = this.#list("or");
      if (!this.#takes(")")) throw new ExpressionError("a parenthesis is not closed in the condition");
    } else expression = this.#reference();
    this.#depth--;
    return expression;
  }

  #reference(): RuleExpression {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new ExpressionError("the condition ends too early");
    const index = this.#indices.get(token);
    if (index === undefined) throw new ExpressionError(`the condition names '${token}', which is none of the rules`);
    return { kind: "reference", index };
  }

  #takes(token: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== token) return false;
    this.#at++;
    return true;
  }
}
