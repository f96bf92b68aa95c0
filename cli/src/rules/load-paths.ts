// Rules files as the commands take them: paths to loaded rules, and the sensor's own where none are named.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type LoadResult, loadRules, type Problem, SKIPPING_CODES } from "@nightjar/rules";
import { readRuleFiles, statePaths } from "@nightjar/stage";
import { CommandError, type Context } from "../command.ts";
import { ROOT } from "../given-settings.ts";
import { printable } from "../show/text.ts";

/** The rules that the sensor comes with. */
export const STARTER_RULES = join(ROOT, "services", "rule-engine", "rules");

/** What the sensor of these settings goes by: the rules that they name, or the starter rules, and those added. */
export function sensorRulePaths({ settings, stateDir }: Context): string[] {
  const named = settings.rule_engine.rules;
  return [...(named.length > 0 ? named : [STARTER_RULES]), ...[statePaths.rules(stateDir)].filter(existsSync)];
}

/**
 * Loads rules, all in their order as one set, as the rule engine does: a later file may use and append to an earlier.
 * @throws CommandError USAGE where a path cannot be read.
 */
export function loadPaths(paths: readonly string[]): LoadResult {
  const { files, problems } = readRuleFiles(paths);
  const [first] = problems;
  if (first) throw new CommandError("USAGE", `${first.file} cannot be read: ${first.message}`);
  return loadRules(files);
}

/** As compilers write it, so that editors find the place. */
export function problemLine({ file, line, column, severity, code, message }: Problem): string {
  return printable(`${file}:${line}:${column}: ${severity}: ${code}: ${message}`);
}

export function errorsOf(problems: readonly Problem[]): Problem[] {
  return problems.filter(({ severity }) => severity === "error");
}

/** What left something out: errors, and warnings of rules that are skipped. */
export function refusalsOf(problems: readonly Problem[]): Problem[] {
  return problems.filter(({ severity, code }) => severity === "error" || SKIPPING_CODES.has(code));
}
