// `nightjar rules test`: holds rules against the tests that stand beside them, through the engine of the sensor.
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import {
  compileRules,
  encodeBrief,
  type Failure,
  type Judged,
  judge,
  loadRules,
  type Problem,
  type RuleTest,
  readTestFile,
} from "@nightjar/rules";
import { readRuleFiles, readTestFiles } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import type { ExitName } from "../../exit-codes.ts";
import { batchesOfFile } from "../../rules/event-file.ts";
import { errorsOf, problemLine } from "../../rules/load-paths.ts";
import { shownOf } from "../../rules/shown.ts";
import { showExplanation } from "../../show/explanation.ts";
import { printable } from "../../show/text.ts";

interface TestOptions {
  rules?: string[];
}

export function testRulesCommand(environment: Environment): Command {
  return define<TestOptions>(environment, {
    name: "test",
    description:
      "Run the tests of rules: files *.test.yaml with events written briefly, or recordings, and which rules must " +
      "match and which must not. Of each failure it is told which parts of the rule decided.",
    arguments: [{ name: "<paths...>", description: "files of tests, or folders that are searched for them" }],
    options: [new Option("--rules <path...>", "files or folders of rules instead of those that the tests name")],
    examples: ["nightjar rules test rules/", "nightjar rules test my.test.yaml --json | jq 'select(.passed | not)'"],
    action: (context, { rules }, paths) => testRules(context, paths, rules),
  });
}

/** A test with what came of it. */
interface Outcome {
  test: string;
  file: string;
  line: number;
  passed: boolean;
  milliseconds: number;
  failures: Failure[];
  /** Why it could not be run. */
  problems: Problem[];
}

async function testRules(context: Context, paths: readonly string[], rules?: readonly string[]): Promise<ExitName> {
  const { output } = context;
  const { files, problems } = readTestFiles(paths);
  const [unread] = problems;
  if (unread) throw new CommandError("USAGE", `${unread.file} cannot be read: ${unread.message}`);
  if (files.length === 0) throw new CommandError("USAGE", "no file of tests is there: they are called *.test.yaml");
  const counts = { passed: 0, failed: 0 };
  for (const { name: file, text } of files) {
    const read = readTestFile(file, text);
    const judged = judgedOf(rules ?? rulesOf(file, read.rules));
    for (const problem of [...read.problems, ...judged.problems]) {
      output.line(problemLine(problem));
      output.json({ file, passed: false, problem });
      counts.failed++;
    }
    for (const test of read.tests) {
      const outcome = await run(test, judged);
      counts[outcome.passed ? "passed" : "failed"]++;
      show(context, outcome);
    }
  }
  output.note(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed > 0 ? "FAILED" : "OK";
}

/** The rules that a file of tests names, or that of the same name. */
function rulesOf(file: string, named: readonly string[] | undefined): string[] {
  if (named) return named.map((one) => join(dirname(file), one));
  return [file.replace(/\.test\.(ya?ml)$/, ".$1")];
}

function judgedOf(paths: readonly string[]): Judged & { problems: Problem[] } {
  const { files, problems: unread } = readRuleFiles(paths);
  const [first] = unread;
  if (first) throw new CommandError("USAGE", `${first.file} cannot be read: ${first.message}`);
  const { rules, problems, correlations, correlated } = loadRules(files);
  return { engine: compileRules(rules), correlations, correlated, problems: errorsOf(problems) };
}

async function run(test: RuleTest, judged: Judged): Promise<Outcome> {
  const begun = performance.now();
  const { file, line } = test.place;
  const { batches, problems } = await batchesOf(test);
  const failures = batches ? judge(test, judged, batches) : [];
  const milliseconds = Math.round(performance.now() - begun);
  const passed = failures.length === 0 && problems.length === 0;
  return { test: test.name, file, line, passed, milliseconds, failures, problems };
}

async function batchesOf(test: RuleTest): Promise<{ batches?: Uint8Array[]; problems: Problem[] }> {
  if (test.recording === undefined) {
    const { bytes, problems } = encodeBrief(test.events);
    return bytes ? { batches: [bytes], problems: [] } : { problems };
  }
  const batches: Uint8Array[] = [];
  for await (const bytes of batchesOfFile(join(dirname(test.place.file), test.recording))) {
    batches.push(Uint8Array.from(bytes));
  }
  return { batches, problems: [] };
}

function show({ output }: Context, outcome: Outcome): void {
  const { test, file, line, passed, failures, problems } = outcome;
  output.json(outcome);
  const mark = passed ? output.paint("green", "ok") : output.paint("red", "FAILED");
  output.line(`${mark} ${printable(test)}${passed ? "" : output.paint("dim", `  ${printable(file)}:${line}`)}`);
  for (const problem of problems) output.line(`    ${problemLine(problem)}`);
  for (const { rule, message, explanation } of failures) {
    output.line(`  ${output.paint("bold", printable(rule))} ${message}`);
    if (explanation) showExplanation(output, shownOf(explanation));
  }
}
