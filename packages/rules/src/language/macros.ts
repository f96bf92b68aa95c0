// Finds the macros that a tree names, and puts their trees in the place of the names.
import type { Node } from "./ast.ts";

/** The names of macros in a tree, in order, with their places. */
export function macrosIn(node: Node): { name: string; offset: number }[] {
  if (node.kind === "check") return [];
  if (node.kind === "macro") return [node];
  return node.kind === "not" ? macrosIn(node.child) : node.children.flatMap(macrosIn);
}

/** The tree with what `tree` gives for macros in their place; parts that hold none are shared, not copied. */
export function withMacros(node: Node, tree: (macro: string) => Node | undefined): Node {
  if (node.kind === "check") return node;
  if (node.kind === "macro") return tree(node.name) ?? node;
  if (node.kind === "not") return { ...node, child: withMacros(node.child, tree) };
  return { ...node, children: node.children.map((child) => withMacros(child, tree)) };
}
