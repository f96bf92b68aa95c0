// How severe a record says that it is: CVSS, or a word.
import cvss from "ae-cvss-calculator";

const VECTOR_CHARS_MAX = 512;
/** Later versions of CVSS count first. */
const TYPES = ["CVSS_V4", "CVSS_V3", "CVSS_V2"];
/** GitHub's words, by the lowest score of each (CVSS 3.1 specification, table 14). */
const WORDS: Readonly<Record<string, number>> = { LOW: 0.1, MODERATE: 4, MEDIUM: 4, HIGH: 7, CRITICAL: 9 };

/** `entries` are the record's and its packages' lists "severity". 0 where nothing is said that has a score. */
export function severityOf(
  entries: readonly unknown[],
  record: Readonly<Record<string, unknown>>,
): { vector: string; score: number } {
  const said = entries.filter(
    (one): one is { type: string; score: string } =>
      typeof one === "object" && one !== null && "type" in one && "score" in one && typeof one.score === "string",
  );
  for (const type of TYPES) {
    const vector = said.find((one) => one.type === type)?.score.slice(0, VECTOR_CHARS_MAX);
    const score = vector === undefined ? undefined : scoreOf(vector);
    if (vector !== undefined && score !== undefined) return { vector, score };
  }
  const own = record.database_specific;
  const word = typeof own === "object" && own !== null && "severity" in own ? String(own.severity).toUpperCase() : "";
  return { vector: "", score: WORDS[word] ?? 0 };
}

function scoreOf(vector: string): number | undefined {
  try {
    const score = cvss.fromVector(vector)?.calculateScores().overall;
    return typeof score === "number" && Number.isFinite(score) ? score : undefined;
  } catch {
    return undefined;
  }
}
