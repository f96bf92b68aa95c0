// What the portal takes of health reports and of questions for them.
import {
  type HealthIssue,
  HealthResolutionSchema,
  HealthSeveritySchema,
  type ListHealthIssuesRequest,
  type ReportHealthRequest,
} from "@nightjar/proto";
import { FACT_CHARS_MAX, ISSUE_MESSAGE_CHARS_MAX, ISSUES_PER_REQUEST_MAX, OPEN_IDS_MAX, PAGE_MAX } from "../limits.ts";
import { firstProblem, isTime, type Problem, sensorId, within } from "../validate.ts";

const ISSUE_ID = /^[0-9a-f]{32}$/;
/** Documented codes look so; one that this portal does not know yet is taken all the same. */
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const STAGE = /^[a-z][a-z-]{0,63}$/;

export function checkReportHealth(request: ReportHealthRequest): Problem {
  const { issues, openIds } = request;
  const problem = firstProblem([
    sensorId("sensor_id", request.sensorId),
    within("host_name", request.hostName, FACT_CHARS_MAX),
    within("issues", issues, ISSUES_PER_REQUEST_MAX),
    within("open_ids", openIds, OPEN_IDS_MAX),
    ["open_ids", openIds.every((id) => ISSUE_ID.test(id)), "32 lower-case hex digits each"],
  ]);
  if (problem) return problem;
  for (const [index, issue] of issues.entries()) {
    const wrong = checkIssue(issue);
    if (wrong) return `issues[${index}].${wrong}`;
  }
  return undefined;
}

function checkIssue({ id, code, stage, severity, message, since, lastSeen, ...rest }: HealthIssue): Problem {
  const { resolvedAt, resolution, revision } = rest;
  const isOpen = resolvedAt === undefined;
  const isKnown = HealthResolutionSchema.value[resolution] !== undefined;
  return firstProblem([
    ["id", ISSUE_ID.test(id), "32 lower-case hex digits"],
    ["code", CODE.test(code), "1 to 64 of upper-case letters, digits and _"],
    ["stage", STAGE.test(stage), "the name of a stage"],
    ["severity", severity !== 0 && HealthSeveritySchema.value[severity] !== undefined, "a warning or an error"],
    within("message", message, ISSUE_MESSAGE_CHARS_MAX),
    ["since", isTime(since), "a time from 1970 to 2262"],
    ["last_seen", isTime(lastSeen), "a time from 1970 to 2262"],
    ["resolved_at", isOpen || isTime(resolvedAt), "a time from 1970 to 2262"],
    ["resolution", isKnown && isOpen === (resolution === 0), "one when it is resolved"],
    ["revision", revision > 0n && revision < 2n ** 63n, "more than 0"],
  ]);
}

/** For the lists and the stream of health issues and outages, which have these fields or some of them. */
export function checkHealthQuery(
  request: Partial<Pick<ListHealthIssuesRequest, "since" | "limit" | "sensorId" | "after">>,
): Problem {
  const { since, limit = 0, sensorId: id = "", after = 0n } = request;
  return firstProblem([
    ["since", since === undefined || isTime(since), "a time from 1970 to 2262"],
    ["limit", limit <= PAGE_MAX, `0 to ${PAGE_MAX}, not ${limit}`],
    ["after", after < 2n ** 63n, "a cursor from an answer of this portal"],
    id === "" ? ["sensor_id", true, ""] : sensorId("sensor_id", id),
  ]);
}
