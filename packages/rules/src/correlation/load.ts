// Turns correlation documents into correlations, once the rules of both languages are loaded.
import { ItemError } from "../files/decode.ts";
import type { Rule } from "../files/load.ts";
import type { MappingValue } from "../files/yaml.ts";
import { type CheckContext, checkTerm } from "../language/check.ts";
import { parseOperand } from "../language/parse.ts";
import type { Problem } from "../problem.ts";
import type { CorrelationDocument } from "../sigma/documents.ts";
import { type ParsedCorrelation, parseCorrelation } from "./parse.ts";
import { type Referable, type Resolved, resolveCorrelations } from "./resolve.ts";

type Fields = Pick<CheckContext, "findField">;

/** Never throws on what the documents hold: one with a fault is left out and told of. */
export function loadCorrelations(
  documents: readonly CorrelationDocument[],
  rules: readonly Rule[],
  context: Fields,
): Resolved {
  const problems: Problem[] = [];
  const parsed = documents.flatMap(({ mapping }) => readCorrelation(mapping, problems));
  const enabled = rules.filter((rule) => rule.enabled);
  const resolved = resolveCorrelations(
    parsed,
    enabled.map((rule) => referable(rule, context)),
  );
  return { ...resolved, problems: [...problems, ...resolved.problems] };
}

/** None where it has a fault, which is told of. */
function readCorrelation(document: MappingValue, problems: Problem[]): ParsedCorrelation[] {
  try {
    return [parseCorrelation(document, problems)];
  } catch (error) {
    if (!(error instanceof ItemError)) throw error;
    problems.push(error.problem);
    return [];
  }
}

/**
 * A rule as correlations see it. Falco's rules go on giving detections unless a correlation says "generate: false";
 * Sigma's do not unless it says "generate: true", as its specification has it.
 */
function referable({ language, name, id, alias, priority, termsOf }: Rule, context: Fields): Referable {
  const terms = (written: string) => {
    const own = termsOf?.(written) ?? [];
    if (own.length > 0) return own;
    const found = parseOperand(written, 0);
    const result = found?.end === written.length ? checkTerm(found.operand, context) : undefined;
    return result && "term" in result ? [result.term] : [];
  };
  const labels = [id, alias].filter((label) => label !== undefined);
  return { name, labels, priority, alone: language === "falco", terms };
}
