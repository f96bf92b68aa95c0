// What AdvisoryService and FindingService take: each check gives a problem a person can act on, or undefined.
import type { Advisory, ImportAdvisoriesRequest, ListFindingsRequest, RemoveAdvisoriesRequest } from "@nightjar/proto";
import { orderOf } from "@nightjar/vulnerabilities";
import { ADVISORIES_PER_IMPORT_MAX, ADVISORY_AFFECTED_MAX, ADVISORY_TEXT_CHARS_MAX, PAGE_MAX } from "../limits.ts";
import { type Check, firstProblem, isTime, type Problem, within } from "../validate.ts";

const IMPORT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const SOURCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const ADVISORY_ID = /^[\w.:+-]{1,128}$/;
const SCORE_MAX = 10;
const RANK_LIMIT = 2 ** 31;

export function checkImport({ importId, source, advisories }: ImportAdvisoriesRequest): Problem {
  const problem = firstProblem([
    ["import_id", IMPORT_ID.test(importId), "1 to 64 of letters, digits, _ and -"],
    sourceCheck(source),
    ["advisories", advisories.length > 0, "at least one"],
    within("advisories", advisories, ADVISORIES_PER_IMPORT_MAX),
    ["advisories", new Set(advisories.map(({ id }) => id)).size === advisories.length, "each id once"],
  ]);
  if (problem) return problem;
  for (const [index, advisory] of advisories.entries()) {
    const wrong = checkAdvisory(advisory);
    if (wrong) return `advisories[${index}].${wrong}`;
  }
  return undefined;
}

function checkAdvisory(advisory: Advisory): Problem {
  const { id, aliases, summary, severityVector, severityScore, affected, publishedAt, modifiedAt } = advisory;
  const texts = [summary, severityVector, ...affected.flatMap(textsOf)];
  return firstProblem([
    ["id", ADVISORY_ID.test(id), "1 to 128 of letters, digits, dots, colons, +, _ and -"],
    ["aliases", aliases.every((alias) => ADVISORY_ID.test(alias)), "ids of advisories"],
    ["severity_score", severityScore >= 0 && severityScore <= SCORE_MAX, `0 to ${SCORE_MAX}`],
    ["affected", affected.length > 0, "at least one package"],
    within("affected", affected, ADVISORY_AFFECTED_MAX),
    ["affected", affected.every(({ ecosystem }) => orderOf(ecosystem) !== undefined), "ecosystems with a known order"],
    ["affected", affected.every(({ name }) => name !== ""), "a name each"],
    [
      "texts",
      texts.every((text) => text.length <= ADVISORY_TEXT_CHARS_MAX && !text.includes("\0")),
      `at most ${ADVISORY_TEXT_CHARS_MAX} characters each, none of them NUL`,
    ],
    ["times", [publishedAt, modifiedAt].every((time) => time === undefined || isTime(time)), "from 1970 to 2262"],
  ]);
}

function textsOf({ ecosystem, name, intervals, versions }: Advisory["affected"][number]): string[] {
  const ends = intervals.flatMap(({ introduced, fixed, lastAffected }) => [introduced, fixed, lastAffected]);
  return [ecosystem, name, ...ends, ...versions];
}

function sourceCheck(source: string): Check {
  return ["source", SOURCE.test(source), "1 to 64 of letters, digits, dots, _ and -"];
}

export function checkRemoval({ source, exceptImportId }: RemoveAdvisoriesRequest): Problem {
  return firstProblem([
    sourceCheck(source),
    ["except_import_id", exceptImportId === "" || IMPORT_ID.test(exceptImportId), "the id of an import"],
  ]);
}

export function checkListing({
  advisory,
  sensorId,
  limit,
}: Pick<ListFindingsRequest, "advisory" | "sensorId" | "limit">): Problem {
  return firstProblem([
    ["advisory", advisory === "" || ADVISORY_ID.test(advisory), "the id of an advisory, or one of its aliases"],
    within("sensor_id", sensorId, ADVISORY_TEXT_CHARS_MAX),
    ["sensor_id", !sensorId.includes("\0"), "no NUL characters"],
    ["limit", limit <= PAGE_MAX, `0 to ${PAGE_MAX}, not ${limit}`],
  ]);
}

/** Of what came back as a place: [rank, id, sensor]. */
export function problemOfPlace(parsed: unknown): Problem {
  const [rank, id, sensorId, ...more] = Array.isArray(parsed) ? parsed : [];
  const texts = [id, sensorId].every((text) => typeof text === "string" && !text.includes("\0"));
  const holds = Number.isInteger(rank) && Math.abs(rank) < RANK_LIMIT && texts && more.length === 0;
  return firstProblem([["after", holds, "what an answer of this portal gave as next"]]);
}
