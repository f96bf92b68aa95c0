// Reads records of OSV's form (https://ossf.github.io/osv-schema/) into what matching needs.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Advisory, AdvisorySchema, type AffectedPackage, AffectedPackageSchema } from "@nightjar/proto";
import { nameOf } from "../ecosystems.ts";
import { orderOf, type VersionOrder } from "../versions/order.ts";
import { readIntervals } from "./intervals.ts";
import { isAffected } from "./judge.ts";
import type { AdvisoryProblem, AdvisoryProblemCode } from "./problems.ts";
import { severityOf } from "./severity.ts";

const AFFECTED_MAX = 500;
const VERSIONS_MAX = 10_000;
const ALIASES_MAX = 256;
const SUMMARY_CHARS_MAX = 512;
const ID = /^[\w.:+-]{1,128}$/;

export interface ReadAdvisories {
  advisories: Advisory[];
  /** Records that were withdrawn; they say nothing any more. */
  withdrawn: number;
  problems: AdvisoryProblem[];
}

type Fields = Readonly<Record<string, unknown>>;
type Report = (code: AdvisoryProblemCode, message: string) => void;

/** A file with one record, a list of them, or one a line. */
export function readAdvisories(text: string): ReadAdvisories {
  const result: ReadAdvisories = { advisories: [], withdrawn: 0, problems: [] };
  const records = recordsIn(text);
  if (!records) {
    const message = "neither a record, nor a list of them, nor one a line";
    result.problems.push({ code: "ADVISORY_UNREADABLE", place: "", message });
  }
  for (const record of records ?? []) {
    const place = typeof record.id === "string" ? record.id.slice(0, 128) : "";
    const report: Report = (code, message) => result.problems.push({ code, place, message });
    if (record.withdrawn !== undefined) result.withdrawn++;
    else {
      const advisory = readRecord(record, report);
      if (advisory) result.advisories.push(advisory);
    }
  }
  return result;
}

function recordsIn(text: string): Fields[] | undefined {
  const whole = parse(text);
  if (whole !== undefined) return [whole].flat().every(isFields) ? ([whole].flat() as Fields[]) : undefined;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map(parse);
  return lines.length > 0 && parsed.every(isFields) ? parsed : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textsIn = (value: unknown): string[] => listOf(value).filter((one) => typeof one === "string");

function readRecord(record: Fields, report: Report): Advisory | undefined {
  const { id, summary, details, published, modified } = record;
  if (typeof id !== "string" || !ID.test(id)) {
    report("ADVISORY_INVALID", "a record has no id");
    return undefined;
  }
  const affected = listOf(record.affected).filter(isFields);
  if (affected.length > AFFECTED_MAX) {
    report("ADVISORY_TOO_LARGE", `it affects ${affected.length} packages, at most ${AFFECTED_MAX} are kept`);
    return undefined;
  }
  const read = affected.map((one) => readAffected(one, report)).filter((one) => one !== undefined);
  // What none of our hosts could have is no advisory of ours; its problems have been told.
  if (read.length === 0) return undefined;
  const names = [...textsIn(record.aliases), ...textsIn(record.upstream)].filter((name) => ID.test(name));
  const { vector, score } = severityOf(
    [...listOf(record.severity), ...affected.flatMap((one) => listOf(one.severity))],
    record,
  );
  const text = [summary, details].find((one) => typeof one === "string" && one !== "") as string | undefined;
  return create(AdvisorySchema, {
    id,
    aliases: [...new Set(names)].sort().slice(0, ALIASES_MAX),
    summary: (text ?? "").split("\n", 1)[0]?.slice(0, SUMMARY_CHARS_MAX) ?? "",
    severityVector: vector,
    severityScore: score,
    affected: read,
    ...timeOf("publishedAt", published, report),
    ...timeOf("modifiedAt", modified, report),
  });
}

function timeOf(name: "publishedAt" | "modifiedAt", value: unknown, report: Report) {
  if (value === undefined) return {};
  const date = new Date(typeof value === "string" ? value : Number.NaN);
  if (!Number.isNaN(date.getTime())) return { [name]: timestampFromDate(date) };
  report("ADVISORY_INVALID", `${JSON.stringify(value)} is no time`);
  return {};
}

function readAffected(affected: Fields, report: Report): AffectedPackage | undefined {
  const { ecosystem, name } = isFields(affected.package) ? affected.package : {};
  if (typeof ecosystem !== "string" || typeof name !== "string" || ecosystem === "" || name === "") {
    // Ranges of commits alone stand without a package: they concern sources, not what is installed.
    if (affected.package !== undefined) report("ADVISORY_INVALID", "a package has no ecosystem or no name");
    return undefined;
  }
  const order = orderOf(ecosystem);
  if (!order) {
    report("ADVISORY_ECOSYSTEM_UNKNOWN", `nothing is known of versions of ${ecosystem}`);
    return undefined;
  }
  const invalid = (text: string) => report("ADVISORY_VERSION_INVALID", `${text} is no version of ${ecosystem}`);
  const intervals = listOf(affected.ranges)
    .filter(isFields)
    .flatMap((range) => readIntervals(range, order, invalid));
  const versions = textsIn(affected.versions);
  if (versions.length > VERSIONS_MAX) {
    report("ADVISORY_TOO_LARGE", `${name} has ${versions.length} versions, at most ${VERSIONS_MAX} are kept`);
    return undefined;
  }
  const single = outside(create(AffectedPackageSchema, { intervals }), versions, order);
  if (intervals.length === 0 && single.length === 0) {
    report("ADVISORY_INVALID", `of ${name} it does not say which versions are affected`);
    return undefined;
  }
  return create(AffectedPackageSchema, { ecosystem, name: nameOf(ecosystem, name), intervals, versions: single });
}

/** Most records list each version that is in their ranges as well. */
function outside(ranges: AffectedPackage, versions: readonly string[], order: VersionOrder): string[] {
  return versions.filter((version) => !order.isVersion(version) || !isAffected(ranges, version, order));
}
