// Checks what is in a bundle before it is signed: its rules load behind those that a sensor comes with.
import { join } from "node:path";
import type { ContentManifest } from "@nightjar/proto";
import { loadRules } from "@nightjar/rules";
import { isRulesFile, readRuleFiles } from "@nightjar/stage";
import { CommandError, type Context } from "../../../command.ts";
import { errorsOf, problemLine, STARTER_RULES } from "../../../rules/load-paths.ts";

/** A line for each error of the bundle's own. */
export function checkBundle({ settings }: Context, folder: string, { parts }: ContentManifest): string[] {
  const named = settings.rule_engine.rules;
  const base = readRuleFiles(named.length > 0 ? named : [STARTER_RULES]);
  const names = parts.map(({ name }) => name).filter((name) => name.startsWith("rules/") && isRulesFile(name));
  const own = readRuleFiles(names.map((name) => join(folder, name)));
  const [unread] = [...base.problems, ...own.problems];
  if (unread) throw new CommandError("USAGE", `${unread.file} cannot be read: ${unread.message}`);
  const { problems } = loadRules([...base.files, ...own.files]);
  return errorsOf(problems)
    .filter(({ file }) => file.startsWith(`${folder}/`))
    .map(problemLine);
}
