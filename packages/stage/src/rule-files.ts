// Finds the rules files that the settings name.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RuleFileCode } from "./errors.ts";

const RULES_FILES_MAX = 1_000;
const RULES_FILE_ENDINGS = [".yaml", ".yml"];

export interface RuleFile {
  /** The path as it was found, for places in messages. */
  name: string;
  text: string;
}

export interface FileProblem {
  code: RuleFileCode;
  file: string;
  message: string;
}

/** Reads files, and the YAML files of folders in the order of their names. What cannot be read is a problem. */
export function readRuleFiles(paths: readonly string[]): { files: RuleFile[]; problems: FileProblem[] } {
  const files: RuleFile[] = [];
  const problems: FileProblem[] = [];
  const trying = <T>(file: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push({ code: "RULES_FILE_UNREADABLE", file, message: (error as Error).message });
      return undefined;
    }
  };
  for (const name of paths.flatMap((path) => trying(path, () => filesOf(path)) ?? [])) {
    if (files.length >= RULES_FILES_MAX) return { files, problems: [...problems, tooMany(name)] };
    const text = trying(name, () => readFileSync(name, "utf8"));
    if (text !== undefined) files.push({ name, text });
  }
  return { files, problems };
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => RULES_FILE_ENDINGS.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => join(path, name));
}

function tooMany(file: string): FileProblem {
  return {
    code: "RULES_FILES_TOO_MANY",
    file,
    message: `more than ${RULES_FILES_MAX} rules files; this and the rest are left out`,
  };
}
