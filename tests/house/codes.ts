// Finds the codes that the sources raise and what the reference says of them.

import { takeApart } from "./text.ts";
import { isScript, isTest, type TreeFile } from "./tree.ts";

export interface Code {
  code: string;
  path: string;
}

const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^[A-Z]{4,}$/;

/**
 * Codes in a source: `code: "RULE_UNKNOWN_FIELD"` in an object or a type, and the keys of tables in files that are
 * named for their codes (codes.ts, problems.ts, errors.ts).
 */
export function codesOf({ path, text }: TreeFile): Code[] {
  if (!isScript(path) || isTest(path)) return [];
  const { code: source } = takeApart(text, "slashes");
  const raised = [...source.matchAll(/\bcode:\s*((?:\|?\s*"[A-Z0-9_]+"\s*)+)/g)].flatMap(([, values]) =>
    [...(values as string).matchAll(/"([A-Z0-9_]+)"/g)].map((match) => match[1] as string),
  );
  const isTable = /(^|\/)(codes|problems?|errors)\.ts$/.test(path);
  const keys = isTable ? [...source.matchAll(/^ {2}([A-Z0-9_]+): *[{"[`]/gm)].map((match) => match[1] as string) : [];
  return [...new Set([...raised, ...keys])].filter((code) => CODE.test(code)).map((code) => ({ code, path }));
}

/** Codes that stand in backquotes in the reference. */
export function documentedWords(reference: readonly TreeFile[]): Set<string> {
  return new Set(
    reference.flatMap(({ text }) => [...text.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map((match) => match[1] as string)),
  );
}
