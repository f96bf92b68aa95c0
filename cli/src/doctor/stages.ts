// How the stages of a running sensor are: ready or not, and what they say is wrong.
import type { StageStatus } from "@nightjar/proto";
import { stageNames } from "@nightjar/stage";
import type { Found } from "./machine.ts";

export function stagesFound(statuses: readonly StageStatus[]): Found[] {
  return stageNames.flatMap((name): Found[] => {
    const status = statuses.find(({ stage }) => stage === name);
    if (!status) return [{ what: name, is: "does not answer", code: "STAGE_NOT_READY" }];
    const { ready, version, summary, healthIssues } = status;
    const row: Found = { what: name, is: `${version}, ${ready ? "ready" : "not ready"}: ${summary}` };
    const issues = healthIssues.map(
      ({ code, message }): Found => ({ what: name, is: `${code}: ${message}`, code: "HEALTH_ISSUE_OPEN" }),
    );
    return [ready ? row : { ...row, code: "STAGE_NOT_READY" }, ...issues];
  });
}
