// Problems of rules files as SARIF 2.1.0, the form in which code hosts and editors take what a checker finds.
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { PROBLEM_CODES, type Problem, type ProblemCode } from "@nightjar/rules";
import { SENSOR_VERSION } from "@nightjar/stage";
import type { Log, ReportingDescriptor, Result } from "sarif";

const CODES = Object.keys(PROBLEM_CODES) as ProblemCode[];

/** A log of one run. Columns count UTF-16 units from 1, as the problems' do. */
export function sarifOf(problems: readonly Problem[]): Log {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "nightjar", version: SENSOR_VERSION, rules: CODES.map(descriptorOf) } },
        columnKind: "utf16CodeUnits",
        results: problems.map(resultOf),
      },
    ],
  };
}

function descriptorOf(code: ProblemCode): ReportingDescriptor {
  const [level, text] = PROBLEM_CODES[code];
  return { id: code, shortDescription: { text }, defaultConfiguration: { level } };
}

function resultOf({ code, severity, message, file, line, column }: Problem): Result {
  return {
    ruleId: code,
    ruleIndex: CODES.indexOf(code),
    level: severity,
    message: { text: message },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(file) }, region: { startLine: line, startColumn: column } },
      },
    ],
  };
}

/** Relative paths stay relative: a code host finds them in its checkout. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file.split("/").map(encodeURIComponent).join("/");
}
