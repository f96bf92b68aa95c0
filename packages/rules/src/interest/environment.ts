// Whether rules ask for the environment of processes, which the probe reads only for those who want it.
import { termsOfFormat } from "../engine/format.ts";
import type { Rule } from "../files/load.ts";
import { fieldsOf } from "../language/expression.ts";

const ENVIRONMENT_FIELDS: ReadonlySet<string> = new Set(["proc.env", "proc.aenv"]);

/** Whether the condition or the output of an enabled rule names a field of the environment. */
export function asksForEnvironment(rules: readonly Rule[]): boolean {
  return rules.some(({ enabled, expression, format }) => {
    if (!enabled) return false;
    const terms = [...fieldsOf(expression), ...termsOfFormat(format).values()];
    return terms.some((term) => term.kind === "field" && ENVIRONMENT_FIELDS.has(term.field.name));
  });
}
