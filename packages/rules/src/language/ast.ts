// The syntax tree of a condition, before macros are put in and names are checked.

/** `offset` is where the node begins in the condition's text. */
export type Node =
  | { kind: "and" | "or"; children: Node[]; offset: number }
  | { kind: "not"; child: Node; offset: number }
  | { kind: "macro"; name: string; offset: number }
  | { kind: "check"; left: Operand; operator: string; quantifier?: Quantifier; right: Right; offset: number };

export type Quantifier = "oneof" | "anyof" | "allof";

export type Operand =
  | { kind: "field"; name: string; argument?: string; offset: number }
  | { kind: "call"; name: string; argument?: string; operands: Operand[]; offset: number }
  | { kind: "list"; operands: Operand[]; offset: number }
  | { kind: "text"; value: string; offset: number };

export type Right =
  | { kind: "nothing"; offset: number }
  | { kind: "value"; value: string; offset: number }
  | { kind: "values"; values: { value: string; offset: number }[]; offset: number }
  | { kind: "operand"; operand: Operand; offset: number };
