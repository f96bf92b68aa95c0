// The names that rules of Sigma have for what events tell, with what each stands for.
import { type Term, termName } from "../language/expression.ts";
import { COMMON, SERVED } from "./logsources.ts";

export interface SigmaName {
  name: string;
  /** Event types that have it, by name; undefined where all have. */
  events?: readonly string[];
  /** As a rule of Falco's would write it, or the text that it always is. */
  from: string;
}

const meaning = (term: Term): string => (term.kind === "text" ? `always ${term.value}` : termName(term));

const isCommon = (name: string, term: Term): boolean => {
  const common = COMMON.get(name);
  return common !== undefined && meaning(common) === meaning(term);
};

/** One row for each meaning of a name, in the order of names. */
export function sigmaNames(): SigmaName[] {
  const rows: SigmaName[] = [...COMMON].map(([name, term]) => ({ name, from: meaning(term) }));
  const own = SERVED.flatMap(({ type, names }) =>
    [...names].flatMap(([name, term]) =>
      isCommon(name, term) ? [] : [{ name, type: type.name, from: meaning(term) }],
    ),
  );
  for (const [, same] of Map.groupBy(own, ({ name, from }) => `${name} ${from}`)) {
    const [{ name, from }] = same as [(typeof own)[0]];
    rows.push({ name, from, events: [...new Set(same.map(({ type }) => type))] });
  }
  return rows.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
