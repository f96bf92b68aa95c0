// `nightjar rules check`: whether rules files are right, with the place of each mistake; nothing has to run for it.
import type { LoadResult, Problem } from "@nightjar/rules";
import { type Command, Option } from "commander";
import { type Context, define, type Environment } from "../../command.ts";
import type { ExitName } from "../../exit-codes.ts";
import { errorsOf, loadPaths, problemLine, refusalsOf } from "../../rules/load-paths.ts";
import { sarifOf } from "../../rules/sarif.ts";

interface CheckOptions {
  format?: "text" | "sarif";
}

export function checkRulesCommand(environment: Environment): Command {
  return define<CheckOptions>(environment, {
    name: "check",
    description:
      "Check rules files and tell each mistake with file, line, column and code. With --json one document: how many " +
      "rules loaded (correlations among them), how many items were refused, and the problems.",
    arguments: [{ name: "<paths...>", description: "files, or folders whose YAML files are taken by name" }],
    options: [new Option("--format <format>", "how the problems are written").choices(["text", "sarif"])],
    examples: [
      "nightjar rules check my-rules.yaml",
      "nightjar rules check rules/ --json | jq '.problems[].code'",
      "nightjar rules check rules/ --format sarif > rules.sarif",
    ],
    action: async (context, { format }, paths) => check(context, loadPaths(paths), format === "sarif"),
  });
}

function check({ output }: Context, { rules, correlations, problems }: LoadResult, asSarif: boolean): ExitName {
  const loaded = rules.length + correlations.length;
  const errors = errorsOf(problems);
  if (asSarif) output.raw(`${JSON.stringify(sarifOf(problems), undefined, 2)}\n`);
  else {
    for (const problem of problems) output.line(problemLine(problem));
    output.json({ loaded, refused: refusedOf(problems), problems: problems.map(problemJson) });
  }
  const warnings = problems.length - errors.length;
  output.note(`${loaded} rules can be used; ${errors.length} errors, ${warnings} warnings`);
  return errors.length > 0 ? "FAILED" : "OK";
}

/** An item, or a file that cannot be read as rules at all, counts once however much is wrong with it. */
function refusedOf(problems: readonly Problem[]): number {
  return new Set(
    refusalsOf(problems).map(({ file, line, item }) => (item?.name ? `${item.type} ${item.name}` : `${file}:${line}`)),
  ).size;
}

function problemJson({ severity, code, file, line, column, message }: Problem) {
  return { severity, code, file, line, column, message };
}
