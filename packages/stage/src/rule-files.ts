// Finds the rules files that the settings name.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RuleFileCode } from "./errors.ts";

/** The rule engine's fact that says which files and folders it reads rules from, a line each. */
export const RULE_PATHS_FACT = "rule_paths";
const RULES_FILES_MAX = 1_000;
const RULES_FILE_ENDINGS = [".yaml", ".yml"];
/** Tests of rules stand beside them and are no rules; as TEST_FILE_ENDINGS in packages/rules. */
const TEST_FILE_ENDINGS = [".test.yaml", ".test.yml"];

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

export interface ReadFiles {
  files: RuleFile[];
  problems: FileProblem[];
}

/** Reads files, and the YAML files of folders in the order of their names. What cannot be read is a problem. */
export function readRuleFiles(paths: readonly string[]): ReadFiles {
  return readFiles(paths, isRulesFile);
}

/** Whether a file in a folder of rules is one of them, by its name. */
export function isRulesFile(name: string): boolean {
  return hasEnding(name, RULES_FILE_ENDINGS) && !hasEnding(name, TEST_FILE_ENDINGS);
}

/** The same of files with tests of rules. */
export function readTestFiles(paths: readonly string[]): ReadFiles {
  return readFiles(paths, (name) => hasEnding(name, TEST_FILE_ENDINGS));
}

const hasEnding = (name: string, endings: readonly string[]): boolean => endings.some((one) => name.endsWith(one));

function readFiles(paths: readonly string[], isWanted: (name: string) => boolean): ReadFiles {
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
  for (const name of paths.flatMap((path) => trying(path, () => filesOf(path, isWanted)) ?? [])) {
    if (files.length >= RULES_FILES_MAX) return { files, problems: [...problems, tooMany(name)] };
    const text = trying(name, () => readFileSync(name, "utf8"));
    if (text !== undefined) files.push({ name, text });
  }
  return { files, problems };
}

/** A file that is named is taken whatever it is called. */
function filesOf(path: string, isWanted: (name: string) => boolean): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter(isWanted)
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
