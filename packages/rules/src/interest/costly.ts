// What the probe reads only for those who want it, since it costs or can hold secrets: the environment, and data.
import { termsOfFormat } from "../engine/format.ts";
import type { Rule } from "../files/load.ts";
import { type Expression, fieldsOf, type Term } from "../language/expression.ts";

/** What rules want beside the events themselves. */
export interface Costly {
  /** Execs with the environment of the process. */
  environment: boolean;
  /** Messages with the data that was sent or received. */
  data: boolean;
}

const ENVIRONMENT_FIELDS: ReadonlySet<string> = new Set(["proc.env", "proc.aenv"]);
const ALL_ARGUMENTS: ReadonlySet<string> = new Set(["evt.args", "evt.info"]);
const DATA_ARGUMENTS: ReadonlySet<string> = new Set(["evt.arg", "evt.rawarg"]);
const DATA_ARGUMENT = "data";

/**
 * What the conditions and outputs of the enabled rules name, and `more` conditions. All arguments in an output are no
 * wish for data.
 */
export function costlyOf(rules: readonly Rule[], more: readonly Expression[] = []): Costly {
  const enabled = rules.filter((rule) => rule.enabled);
  const conditions = [...enabled.map(({ expression }) => expression), ...more];
  const inConditions = conditions.flatMap((condition) => [...fieldsOf(condition)]);
  const inOutputs = enabled.flatMap(({ format, extraFields = [] }) =>
    [format, ...extraFields.map((field) => field.format)].flatMap((each) => [...termsOfFormat(each).values()]),
  );
  const all: Term[] = [...inConditions, ...inOutputs];
  return {
    environment: all.some((term) => term.kind === "field" && ENVIRONMENT_FIELDS.has(term.field.name)),
    data: all.some((term) => namesData(term)) || inConditions.some((term) => ALL_ARGUMENTS.has(term.field.name)),
  };
}

function namesData(term: Term): boolean {
  if (term.kind !== "field") return false;
  const { field, argument } = term;
  return field.name === "evt.buffer" || (DATA_ARGUMENTS.has(field.name) && argument === DATA_ARGUMENT);
}
