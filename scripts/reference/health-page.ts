// The page of the health issues, and of the codes with which a stage's process ends.
import { healthCodes, stageExitCodes } from "../../packages/stage/src/index.ts";
import { HealthSeverity } from "../../proto/src/index.ts";
import { page, tableOf } from "./text.ts";

export function healthPage(): string {
  const rows = Object.entries(healthCodes).map(([code, { severity, doc }]) => [
    `\`${code}\``,
    severity === HealthSeverity.ERROR ? "error" : "warning",
    doc,
  ]);
  return page(
    "Health issues",
    "A health issue is a loss of sight or function that a person should know. `nightjar status` shows those that are " +
      "open, the uplink tells the portal of them, and the stage's log has each with its `code`.",
    tableOf(["code", "severity", "what it means"], rows),
    "Why a stage does not start at all stands with the [errors](errors.md).",
    "## Exit codes of a stage",
    tableOf(
      ["code", "why it ended"],
      stageExitCodes.map(([code, doc]) => [String(code), doc]),
    ),
  );
}
