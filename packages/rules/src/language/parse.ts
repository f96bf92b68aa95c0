// Turns the text of a condition into its syntax tree.
import type { Node, Operand } from "./ast.ts";
import { SyntaxProblem } from "./lexer.ts";
import { Parser } from "./parser.ts";

export type ParseResult =
  | { node: Node; problem?: never }
  | { node?: never; problem: { message: string; offset: number } };

/** Parses one condition, lists already put in. A problem says what was expected, and at which offset of the text. */
export function parse(text: string): ParseResult {
  try {
    return { node: new Parser(text).condition() };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { problem: { message: error.message, offset: error.offset } };
  }
}

/** The field or transformer that begins at an offset of a text, and where it ends; undefined where none does. */
export function parseOperand(text: string, offset: number): { operand: Operand; end: number } | undefined {
  try {
    const parser = new Parser(text);
    parser.lexer.offset = offset;
    const operand = parser.operand();
    return operand && { operand, end: parser.lexer.offset };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return undefined;
  }
}
