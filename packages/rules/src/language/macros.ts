// Puts macros' trees in the place of their names.
import type { Node } from "./ast.ts";

/** The tree with what `tree` gives for macros in their place; parts that hold none are shared, not copied. */
export function withMacros(node: Node, tree: (macro: string) => Node | undefined): Node {
  if (node.kind === "check") return node;
  if (node.kind === "macro") return tree(node.name) ?? node;
  if (node.kind === "not") return { ...node, child: withMacros(node.child, tree) };
  return { ...node, children: node.children.map((child) => withMacros(child, tree)) };
}
