// What a rule of Sigma sees of events: the names it uses, and the terms they stand for.
import type { Expression, Term } from "../language/expression.ts";

/** One kind of record that a logsource has: its events, and its fields by Sigma's names. */
export interface View {
  /** Which events it is of. */
  scope: Expression;
  /** What a name stands for; a text where every record has the same; undefined where records have no such field. */
  field: (name: string) => Term | undefined;
  /** The names there are, for the reference; of those that are numbered, their form. */
  names?: readonly string[];
  /** The terms that have a record's text, in which keywords are looked for. */
  keywords: readonly Term[];
  /** Only for rules that name one of these fields: for any other the records would be too many, or said already. */
  only?: readonly string[];
}

/** What a rule says of where its events come from; each part may be missing. */
export interface Logsource {
  category?: string;
  product?: string;
  service?: string;
}

/** The views of a logsource, of which a rule may match any, or why there are none. */
export type ViewsOf = (logsource: Logsource | undefined) => Views | { refusal: string };

export interface Views {
  views: readonly View[];
  /**
   * What a rule asks for in vain, of which it can never be true: said of fields and the texts they may be. Where it is
   * not the whole text, its wildcards are in it as *.
   */
  inVain?: (field: string, text: string, isWhole: boolean) => string | undefined;
}
