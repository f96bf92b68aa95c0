// Measures the functions of C, C++ and shell sources; TypeScript's are measured by Biome.
import { lineAt } from "./text.ts";

export interface MeasuredFunction {
  /** Where its head begins. */
  line: number;
  /** From its head to its closing brace. */
  lines: number;
  head: string;
}

// What may stand between a parameter list and the body: qualifiers, a result type, a constructor's initialisers.
const FUNCTION_HEAD = /\)\s*(const|noexcept|override|final|->[^{;]*|:[^:{;][^{;]*)*\s*$/;
const NO_FUNCTION = /^\s*(if|for|while|switch|else|do|struct|enum|union|class|namespace|extern)\b/;

/** Functions at the top, in classes and in namespaces; `bare` is the source without comments and strings. */
export function nativeFunctions(bare: string): MeasuredFunction[] {
  // A line of the preprocessor is no part of a head.
  const text = bare.replaceAll(/^[ \t]*#.*(?:\\\n.*)*$/gm, (line) => line.replaceAll(/[^\n]/g, " "));
  const found: MeasuredFunction[] = [];
  let headStart = 0;
  let depth = 0;
  let open: { head: string; start: number; depth: number } | undefined;
  for (let index = 0; index < text.length; index++) {
    const letter = text[index];
    if (letter === "{") {
      const head = text.slice(headStart, index);
      if (!open && FUNCTION_HEAD.test(head) && !NO_FUNCTION.test(head)) {
        open = { head: head.trim(), start: headStart + (head.length - head.trimStart().length), depth };
      }
      depth++;
    } else if (letter === "}") {
      depth--;
      if (open?.depth === depth) {
        const line = lineAt(text, open.start);
        found.push({ line, lines: lineAt(text, index) - line + 1, head: open.head });
        open = undefined;
      }
    }
    if (letter === "{" || letter === "}" || letter === ";") headStart = index + 1;
  }
  return found;
}

/** Functions written `name() {` … `}`, the brace at the line's beginning. */
export function shellFunctions(text: string): MeasuredFunction[] {
  const found: MeasuredFunction[] = [];
  let open: { head: string; line: number } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (!open && /^[\w-]+\s*\(\)\s*\{/.test(line)) open = { head: line.trim(), line: index + 1 };
    if (!open || !/^\}|\}\s*$/.test(line)) continue;
    if (!line.startsWith("}") && index + 1 !== open.line) continue;
    found.push({ line: open.line, lines: index + 2 - open.line, head: open.head });
    open = undefined;
  }
  return found;
}
