// The items of rules files as they are read, before they are put together: lists, macros, rules and changes to them.
import type { Place } from "../problem.ts";
import type { MappedText } from "./mapped-text.ts";

/** Where an item was first defined among all items, and where it was changed last: what sees what goes by these. */
export interface Numbered {
  index: number;
  visibility: number;
}

export interface ListItem extends Numbered {
  name: string;
  place: Place;
  items: string[];
}

export interface MacroItem extends Numbered {
  name: string;
  place: Place;
  condition: MappedText;
}

/** A value of an exception: a text, or several. */
export type Entry = MappedText | Entry[];

export interface ExceptionItem {
  name: string;
  place: Place;
  fields?: Entry;
  comparisons?: Entry;
  values: Entry[];
}

/** The parts of a rule that a later item may replace or append to. */
export interface RuleParts {
  condition?: MappedText;
  output?: MappedText;
  description?: string;
  priority?: number;
  tags?: string[];
  exceptions?: ExceptionItem[];
  enabled?: boolean;
  warnsOfEventTypes?: boolean;
  skipsUnknown?: boolean;
}

export interface RuleItem extends Numbered, Required<RuleParts> {
  name: string;
  place: Place;
  source: string;
  /** No one provides events of its source. */
  foreign: boolean;
}

/** The only source of events there is. */
export const SOURCE = "syscall";
