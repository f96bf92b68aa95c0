// The page of the codes that are no health issue and no problem of a setting or of a rule.
import { probeErrorCodes } from "../../native-probe/src/errors.ts";
import { contentCodes } from "../../packages/content/src/codes.ts";
import { recordingErrorCodes, wireErrorCodes } from "../../packages/events/src/errors.ts";
import { listProblemCodes } from "../../packages/indicators/src/index.ts";
import { ruleFileCodes } from "../../packages/stage/src/errors.ts";
import { advisoryProblemCodes } from "../../packages/vulnerabilities/src/index.ts";
import { busErrorCodes } from "../../services/bus/src/errors.ts";
import { collectorErrorCodes } from "../../services/collector/src/errors.ts";
import { portalErrorCodes } from "../../services/portal/src/errors.ts";
import { page, rowsOf, tableOf } from "./text.ts";

const SECTIONS: readonly (readonly [title: string, text: string, codes: Readonly<Record<string, string>>])[] = [
  ["The bus does not start", "In the log of the stage `bus`:", busErrorCodes],
  ["The collector does not start", "In the log of the collector:", collectorErrorCodes],
  ["The portal does not start or store", "In the portal's log, and in the uplink's:", portalErrorCodes],
  [
    "The kernel does not take the probe",
    "In the log of the collector, beside the names of the kernel's own errors (`EPERM` and the like), which come " +
      "with what to check:",
    probeErrorCodes,
  ],
  ["A recording is refused", "From `nightjar run --replay`:", { ...recordingErrorCodes, ...wireErrorCodes }],
  ["Of a file of advisories not all is taken", "From `nightjar portal advisories import`:", advisoryProblemCodes],
  ["Of an indicator list not all is taken", "From `nightjar portal indicators import`:", listProblemCodes],
  [
    "Content from the portal is refused",
    "In the uplink's log and in the health issue CONTENT_REFUSED; what was in force before stays:",
    contentCodes,
  ],
  ["Rules files cannot be read", "In the log of the rule engine:", ruleFileCodes],
];

export function errorsPage(): string {
  return page(
    "Errors",
    "The codes that are neither a [health issue](health.md), nor a problem of a [setting](settings.md) or of a " +
      "[rule](rules.md).",
    ...SECTIONS.flatMap(([title, text, codes]) => [
      `## ${title}`,
      text,
      tableOf(["code", "what it means and what to do"], rowsOf(codes)),
    ]),
  );
}
