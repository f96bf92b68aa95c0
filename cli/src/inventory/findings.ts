// Findings as people and programs read them.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ExposureSchema, type Finding, FindingSchema, FindingStateSchema, wordsOf } from "@nightjar/proto";
import { toPlain } from "../show/plain.ts";
import { printable, utf8 } from "../show/text.ts";

const STATES = wordsOf(FindingStateSchema);
const EXPOSURES = wordsOf(ExposureSchema);
const ID_CHARS = 12;

export const FINDING_COLUMNS = [
  ...["STATE", "REACHED", "AS", "SCORE", "VULNERABILITY", "PACKAGE", "FIXED IN", "SINCE", "WHERE", "BY"],
] as const;

/** A row of the table; `withHost` puts the host before where on it. */
export function findingRow(finding: Finding, withHost: boolean): string[] {
  const { state, exposure, runsAsRoot, severityScore, package: of, fixedVersion, changedAt, root, hostName } = finding;
  const where = root === "" ? "host" : root.replace(/(:[0-9a-f]{12})[0-9a-f]+$/, "$1");
  return [
    STATES.get(state) ?? "",
    EXPOSURES.get(exposure) ?? "",
    runsAsRoot ? "root" : "-",
    severityScore > 0 ? severityScore.toFixed(1) : "-",
    nameOf(finding),
    printable(`${of?.name} ${of?.version}`),
    printable(fixedVersion || "-"),
    changedAt ? timestampDate(changedAt).toISOString() : "",
    printable(withHost ? `${hostName || finding.sensorId.slice(0, ID_CHARS)} ${where}` : where),
    whoText(finding),
  ];
}

/** CVE's name where it has one. */
function nameOf({ advisoryId, aliases }: Finding): string {
  return [advisoryId, ...aliases].find((name) => name.startsWith("CVE-")) ?? advisoryId;
}

function whoText({ evidence, programs }: Finding): string {
  const [first] = evidence;
  if (!first) return "-";
  const name = utf8(first.script.length > 0 ? first.script : first.program);
  const ports = first.listening.length > 0 ? ` (${first.listening.join(", ")})` : "";
  return printable(`${name}${ports}${programs > 1 ? ` and ${programs - 1} more` : ""}`);
}

export function findingJson(finding: Finding) {
  return toPlain(FindingSchema, finding);
}
