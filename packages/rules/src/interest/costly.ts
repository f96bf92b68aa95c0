// What is read only for those who want it, as it costs or can hold secrets: environment, data, names of addresses.
import { termsOfFormat } from "../engine/format.ts";
import type { Rule } from "../files/load.ts";
import { type Expression, fieldsOf, type Term } from "../language/expression.ts";

/** What rules want beside the events themselves. */
export interface Costly {
  /** Execs with the environment of the process. */
  environment: boolean;
  /** Messages with the data that was sent or received. */
  data: boolean;
  /** The domain names of addresses: DNS is followed for them. */
  addressNames: boolean;
}

const ENVIRONMENT_FIELDS: ReadonlySet<string> = new Set(["proc.env", "proc.aenv"]);
const ADDRESS_NAME_FIELDS: ReadonlySet<string> = new Set(["c", "s", "l", "r"].map((end) => `fd.${end}ip.name`));
const ALL_ARGUMENTS: ReadonlySet<string> = new Set(["evt.args", "evt.info"]);
const DATA_ARGUMENTS: ReadonlySet<string> = new Set(["evt.arg", "evt.rawarg"]);
const DATA_ARGUMENT = "data";

/**
 * What the conditions and outputs of the enabled rules name, `more` conditions, and the terms that correlations take
 * from matches. All arguments in an output are no wish for data.
 */
export function costlyOf(
  rules: readonly Rule[],
  more: readonly Expression[] = [],
  correlated: readonly Term[] = [],
): Costly {
  const enabled = rules.filter((rule) => rule.enabled);
  const conditions = [...enabled.map(({ expression }) => expression), ...more];
  const inConditions = conditions.flatMap((condition) => [...fieldsOf(condition)]);
  const inOutputs = enabled.flatMap(({ format, extraFields = [] }) =>
    [format, ...extraFields.map((field) => field.format)].flatMap((each) => [...termsOfFormat(each).values()]),
  );
  const all: Term[] = [...inConditions, ...inOutputs, ...correlated];
  const names = (fields: ReadonlySet<string>) =>
    all.some((term) => term.kind === "field" && fields.has(term.field.name));
  return {
    environment: names(ENVIRONMENT_FIELDS),
    addressNames: names(ADDRESS_NAME_FIELDS),
    data: all.some((term) => namesData(term)) || inConditions.some((term) => ALL_ARGUMENTS.has(term.field.name)),
  };
}

function namesData(term: Term): boolean {
  if (term.kind !== "field") return false;
  const { field, argument } = term;
  return field.name === "evt.buffer" || (DATA_ARGUMENTS.has(field.name) && argument === DATA_ARGUMENT);
}
