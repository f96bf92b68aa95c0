// Paths told by their parts: what the kernel can look up of a path without a language of its own.
import { fitsPath, type PathParts } from "@nightjar/events";
import type { Test } from "../language/expression.ts";

/** All that is there must hold of a path. */
export type PathPattern = PathParts;

/** Which part of the path a field gives. */
export type PathPart = "whole" | "leaf" | "directory";

/** A pattern that everything fits which fits both; undefined where nothing can. */
export function meetPaths(left: PathPattern, right: PathPattern): PathPattern | undefined {
  const whole = left.whole ?? right.whole;
  if (whole !== undefined) {
    const other = left.whole === undefined ? left : right;
    return fitsPath(other, whole) ? { whole } : undefined;
  }
  for (const part of ["leaf", "directory"] as const) {
    if (left[part] !== undefined && right[part] !== undefined && left[part] !== right[part]) return undefined;
  }
  return { ...left, ...right, ...longer(left, right) };
}

/** Of two beginnings or ends the longer one: what fits both fits it too. */
function longer(left: PathPattern, right: PathPattern): PathPattern {
  const parts = (["begin", "end", "leafBegin"] as const).flatMap((part) => {
    const found = [left[part], right[part]].filter((text) => text !== undefined);
    const [longest] = found.sort((one, other) => other.length - one.length);
    return longest === undefined ? [] : [[part, longest] as const];
  });
  return Object.fromEntries(parts);
}

/** What a text is known to be: itself, or how it begins and ends. */
interface Text {
  whole?: string | undefined;
  begin?: string | undefined;
  end?: string | undefined;
}

/**
 * The patterns one of which a path must fit where the test holds of that part of it. Undefined where the test says
 * nothing that can be looked up, and where a literal has no bytes of its own: what does not decode is U+FFFD to rules.
 */
export function patternsOf(test: Test, part: PathPart): PathPattern[] | undefined {
  const texts = textsOf(test);
  if (!texts || texts.some((text) => Object.values(text).some((part) => part !== undefined && hasNoBytes(part))))
    return undefined;
  const patterns = texts.map((text) => READINGS[part](text));
  return patterns.some((pattern) => Object.keys(pattern).length === 0) ? undefined : patterns;
}

/** U+FFFD, or half of a surrogate pair. */
export function hasNoBytes(text: string): boolean {
  return /\uFFFD|\p{Surrogate}/u.test(text);
}

const READINGS: Readonly<Record<PathPart, (text: Text) => PathPattern>> = {
  whole: (text) => nonEmpty(text),
  leaf: ({ whole, begin, end }) => nonEmpty({ leaf: whole, leafBegin: begin, end }),
  directory: ({ whole, begin }) => nonEmpty({ directory: whole, begin }),
};

function nonEmpty(pattern: { [part in keyof PathPattern]: string | undefined }): PathPattern {
  return Object.fromEntries(Object.entries(pattern).filter(([, text]) => text !== undefined && text !== ""));
}

function textsOf({ test, source, right }: Test): Text[] | undefined {
  if (right || test === "exists") return undefined;
  const { operator, values } = readSource(source);
  if (test === "equals" || test === "in") return values.map((whole) => ({ whole }));
  if (test === "starts-with") return values.map((begin) => ({ begin }));
  if (test === "ends-with") return values.map((end) => ({ end }));
  if (test === "path-starts-with") return values.flatMap(belowPath);
  return operator === "glob" ? values.map(globEnds) : undefined;
}

/** Operator and values of a test as written. */
export function readSource(source: string): { operator: string; values: string[] } {
  const space = source.indexOf(" ");
  return { operator: source.slice(0, space), values: JSON.parse(source.slice(space + 1)) as string[] };
}

/** pmatch compares whole components, of which each may be a glob. */
function belowPath(value: string): Text[] {
  const components = value.split("/").filter((component) => component !== "");
  const globbed = components.findIndex((component) => /[*?[\\]/.test(component));
  const path = `/${components.slice(0, globbed < 0 ? undefined : globbed).join("/")}`;
  if (path === "/") return [{}];
  return globbed < 0 ? [{ whole: path }, { begin: `${path}/` }] : [{ begin: `${path}/` }];
}

function globEnds(pattern: string): Text {
  if (!/[*?[\\]/.test(pattern)) return { whole: pattern };
  return { begin: /^[^*?[\\]*/.exec(pattern)?.[0], end: /[^*?[\]\\]*$/.exec(pattern)?.[0] };
}
