// What IntelService takes: each check gives a problem a person can act on, or undefined.
import { parseIndicator } from "@nightjar/indicators";
import {
  Disposition,
  type ImportIndicatorsRequest,
  type Indicator,
  type ListIndicatorsRequest,
  type LookUpRequest,
  type RemoveIndicatorsRequest,
  type Verdict,
} from "@nightjar/proto";
import {
  INDICATOR_DESCRIPTION_CHARS_MAX,
  INDICATOR_LABELS_MAX,
  INDICATORS_PER_IMPORT_MAX,
  INDICATORS_PER_LOOK_UP_MAX,
  PAGE_MAX,
  TAG_CHARS_MAX,
} from "./limits.ts";
import { type Check, firstProblem, isTime, type Problem, within } from "./validate.ts";

const IMPORT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const SOURCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const CONFIDENCE_MAX = 100;
const KIND_MAX = 2 ** 15 - 1;

/** Only the number: a value that is none of ours is unknown, which is an answer. */
export function checkLookUp({ indicators }: LookUpRequest): Problem {
  return firstProblem([
    ["indicators", indicators.length > 0, "at least one"],
    within("indicators", indicators, INDICATORS_PER_LOOK_UP_MAX),
    // PostgreSQL's texts have none.
    ["indicators", indicators.every(({ value }) => !value.includes("\0")), "no NUL characters"],
  ]);
}

export function checkImport({ importId, verdicts }: ImportIndicatorsRequest): Problem {
  const source = verdicts[0]?.source ?? "";
  const problem = firstProblem([
    ["import_id", IMPORT_ID.test(importId), "1 to 64 of letters, digits, _ and -"],
    ["verdicts", verdicts.length > 0, "at least one"],
    within("verdicts", verdicts, INDICATORS_PER_IMPORT_MAX),
    sourceCheck(source),
    ["verdicts", verdicts.every((verdict) => verdict.source === source), "all of one source"],
    ["verdicts", areDistinct(verdicts), "each indicator once"],
  ]);
  if (problem) return problem;
  for (const [index, verdict] of verdicts.entries()) {
    const wrong = checkVerdict(verdict);
    if (wrong) return `verdicts[${index}].${wrong}`;
  }
  return undefined;
}

function areDistinct(verdicts: readonly Verdict[]): boolean {
  return new Set(verdicts.map(({ indicator }) => `${indicator?.kind}:${indicator?.value}`)).size === verdicts.length;
}

function checkVerdict({ indicator, disposition, description, confidence, labels, expiresAt }: Verdict): Problem {
  return firstProblem([
    ["indicator", isWritten(indicator), "a kind and a value in its written form"],
    [
      "disposition",
      disposition > Disposition.UNKNOWN && disposition <= Disposition.MALICIOUS,
      "benign, suspicious or malicious",
    ],
    ["confidence", confidence <= CONFIDENCE_MAX, `0 to ${CONFIDENCE_MAX}, not ${confidence}`],
    within("description", description, INDICATOR_DESCRIPTION_CHARS_MAX),
    within("labels", labels, INDICATOR_LABELS_MAX),
    ["labels", labels.every((label) => label.length <= TAG_CHARS_MAX), `at most ${TAG_CHARS_MAX} characters each`],
    ["expires_at", expiresAt === undefined || isTime(expiresAt), "a time from 1970 to 2262"],
  ]);
}

function isWritten(indicator: Indicator | undefined): boolean {
  return indicator !== undefined && parseIndicator(indicator.kind, indicator.value)?.value === indicator.value;
}

function sourceCheck(source: string): Check {
  return ["source", SOURCE.test(source), "1 to 64 of letters, digits, dots, _ and -"];
}

export function checkRemoval({ source, indicator, exceptImportId }: RemoveIndicatorsRequest): Problem {
  return firstProblem([
    sourceCheck(source),
    ["indicator", indicator === undefined || isWritten(indicator), "a kind and a value in its written form"],
    ["except_import_id", exceptImportId === "" || IMPORT_ID.test(exceptImportId), "the id of an import"],
  ]);
}

export function checkPage({ source, value, limit }: ListIndicatorsRequest): Problem {
  return firstProblem([
    source === "" ? ["source", true, ""] : sourceCheck(source),
    within("value", value, INDICATOR_DESCRIPTION_CHARS_MAX),
    ["value", !value.includes("\0"), "no NUL characters"],
    ["limit", limit <= PAGE_MAX, `0 to ${PAGE_MAX}, not ${limit}`],
  ]);
}

/** Of what came back as a place: [value, kind, source]. */
export function problemOfPlace(parsed: unknown): Problem {
  const [value, kind, source, ...more] = Array.isArray(parsed) ? parsed : [];
  const texts = [value, source].every((text) => typeof text === "string" && !text.includes("\0"));
  const isKind = Number.isInteger(kind) && kind >= 0 && kind <= KIND_MAX;
  return firstProblem([["after", texts && isKind && more.length === 0, "what an answer of this portal gave as next"]]);
}
