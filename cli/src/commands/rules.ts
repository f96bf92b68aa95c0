// `nightjar rules check`: whether rules files are right, with the place of each mistake; nothing has to run for it.
import { loadRules, type Problem } from "@nightjar/rules";
import { readRuleFiles } from "@nightjar/stage";
import { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { printable } from "../show/text.ts";

export function rulesCommand(environment: Environment): Command {
  const check = define(environment, {
    name: "check",
    description: "Check rules files and tell each mistake with file, line, column and code.",
    argument: { name: "<paths...>", description: "files, or folders whose YAML files are taken by name" },
    examples: ["nightjar rules check my-rules.yaml", "nightjar rules check rules/ --json | jq -r .code"],
    action: (context, _options, paths) => checkRules(context, paths),
  });
  return new Command("rules").description("Work with rules files.").addCommand(check);
}

/** All are read in their order as one set, as the rule engine does: a later file may use and append to an earlier. */
async function checkRules({ output }: Context, paths: readonly string[]): Promise<ExitName> {
  const { files, problems: unread } = readRuleFiles(paths);
  const [first] = unread;
  if (first) throw new CommandError("USAGE", `${first.file} cannot be read: ${first.message}`);
  const { rules, problems } = loadRules(files);
  for (const problem of problems) {
    output.line(problemLine(problem));
    output.json(problem);
  }
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  output.note(`${rules.length} rules can be used; ${errors} errors, ${warnings} warnings`);
  return errors > 0 ? "FAILED" : "OK";
}

/** As compilers write it, so that editors find the place. */
function problemLine({ file, line, column, severity, code, message }: Problem): string {
  return printable(`${file}:${line}:${column}: ${severity}: ${code}: ${message}`);
}
