// Shell patterns as Falco's glob and iglob have them (fnmatch(3) with FNM_EXTMATCH off): * ? [set] and backslash.
import { lowerAscii } from "./letters.ts";

type Step = { kind: "many" } | { kind: "one"; test: (character: string) => boolean };

/**
 * Compiles a pattern to a test of whole strings. Its time is at most the product of both lengths: one place to go back
 * to, the last star, is enough.
 */
export function compileGlob(pattern: string, ignoreCase = false): (text: string) => boolean {
  const steps = read([...(ignoreCase ? lowerAscii(pattern) : pattern)]);
  const [only] = steps;
  if (steps.length === 1 && only?.kind === "many") return () => true;
  return (text) => run(steps, [...(ignoreCase ? lowerAscii(text) : text)]);
}

function read(pattern: readonly string[]): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    if (character === "*") {
      if (steps.at(-1)?.kind !== "many") steps.push({ kind: "many" });
    } else if (character === "?") steps.push({ kind: "one", test: () => true });
    else if (character === "[") {
      const set = readSet(pattern, at);
      if (set) at = set.end;
      steps.push({ kind: "one", test: set?.test ?? ((other) => other === "[") });
    } else {
      const literal = character === "\\" && at + 1 < pattern.length ? (pattern[++at] as string) : character;
      steps.push({ kind: "one", test: (other) => other === literal });
    }
  }
  return steps;
}

/** A set in brackets that begins at `start`; undefined where it has no end, and the bracket stands for itself. */
function readSet(
  pattern: readonly string[],
  start: number,
): { end: number; test: (character: string) => boolean } | undefined {
  let at = start + 1;
  const negated = pattern[at] === "!" || pattern[at] === "^";
  if (negated) at++;
  const ranges: [string, string][] = [];
  for (let first = true; at < pattern.length; first = false, at++) {
    let low = pattern[at] as string;
    if (low === "]" && !first) return { end: at, test: (c) => ranges.some(([a, b]) => a <= c && c <= b) !== negated };
    if (low === "\\") low = pattern[++at] ?? "\\";
    const high = pattern[at + 1] === "-" && pattern[at + 2] !== "]" ? pattern[at + 2] : undefined;
    if (high !== undefined) at += 2;
    ranges.push([low, high ?? low]);
  }
  return undefined;
}

function run(steps: readonly Step[], text: readonly string[]): boolean {
  let step = 0;
  let at = 0;
  let starStep = -1;
  let starAt = 0;
  while (at < text.length) {
    const current = steps[step];
    if (current?.kind === "one" && current.test(text[at] as string)) {
      step++;
      at++;
    } else if (current?.kind === "many") {
      starStep = step++;
      starAt = at;
    } else if (starStep >= 0) {
      step = starStep + 1;
      at = ++starAt;
    } else return false;
  }
  while (steps[step]?.kind === "many") step++;
  return step === steps.length;
}
