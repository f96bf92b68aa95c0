// Writes a syntax tree back as text, in the one form that Falco prints conditions in.
import type { Node, Operand, Right } from "./ast.ts";

/** The condition in canonical form; parsing it gives the same tree. */
export function print(node: Node): string {
  if (node.kind === "macro") return node.name;
  if (node.kind === "not") return `not ${print(node.child)}`;
  if (node.kind !== "check") return `(${node.children.map(print).join(` ${node.kind} `)})`;
  const operator = [node.operator, node.quantifier].filter((word) => word !== undefined).join(" ");
  return [printOperand(node.left), operator, printRight(node.right)].filter((part) => part !== "").join(" ");
}

function printRight(right: Right): string {
  if (right.kind === "nothing") return "";
  if (right.kind === "value") return quoteIfNeeded(right.value);
  if (right.kind === "operand") return printOperand(right.operand);
  return `(${right.values.map(({ value }) => quoteIfNeeded(value)).join(", ")})`;
}

function printOperand(operand: Operand): string {
  if (operand.kind === "text") return quoteIfNeeded(operand.value);
  if (operand.kind === "list") return `(${operand.operands.map(printOperand).join(", ")})`;
  const argument = operand.argument === undefined ? "" : `[${quoteIfNeeded(operand.argument)}]`;
  if (operand.kind === "field") return `${operand.name}${argument}`;
  return `${operand.name}(${operand.operands.map(printOperand).join(",")})${argument}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\\": "\\\\",
  '"': '\\"',
};

/** Quoted where it has a character that would not stand in a bare word. */
function quoteIfNeeded(text: string): string {
  if (text !== "" && !/[\b\f\n\r\t \\"'(),=]/.test(text)) return text;
  return `"${[...text].map((character) => ESCAPES[character] ?? character).join("")}"`;
}
