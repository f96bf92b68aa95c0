// Puts the items of all files together in order: later ones define anew, append to or replace parts of earlier ones.
import type { CheckContext } from "../language/check.ts";
import { type Place, type Problem, problem } from "../problem.ts";
import { fail, type ItemName } from "./decode.ts";
import { validateException } from "./exceptions.ts";
import { ExtraOutputs } from "./extra-outputs.ts";
import {
  type ExceptionItem,
  type ListItem,
  type MacroItem,
  type Numbered,
  type RuleItem,
  type RuleParts,
  SOURCE,
} from "./items.ts";
import { MappedText } from "./mapped-text.ts";
import { StaticFields } from "./static-fields.ts";

const INVALID = "LOAD_ERR_VALIDATE";

export class Collector {
  readonly lists = new Map<string, ListItem>();
  readonly macros = new Map<string, MacroItem>();
  readonly rules = new Map<string, RuleItem>();
  readonly staticFields = new StaticFields();
  readonly extraOutputs = new ExtraOutputs();
  readonly problems: Problem[] = [];
  readonly #context: Pick<CheckContext, "findField">;
  #next = 0;

  constructor(context: Pick<CheckContext, "findField">) {
    this.#context = context;
  }

  /** A field by its name, be it one that the files themselves define. */
  findField: CheckContext["findField"] = (name, argument) =>
    this.staticFields.findField(name, argument) ?? this.#context.findField(name, argument);

  list(list: Omit<ListItem, keyof Numbered>, appends: boolean): void {
    const item = { type: "list", name: list.name };
    if (!appends) {
      this.#define(this.lists, list);
      return;
    }
    const earlier = this.lists.get(list.name);
    const message = "List uses 'append' or 'override.items: append' but no list by that name already exists";
    if (!earlier) fail(INVALID, message, list.place, item);
    earlier.items.push(...list.items);
    earlier.visibility = this.#next++;
  }

  macro(macro: Omit<MacroItem, keyof Numbered>, appends: boolean): void {
    const item = { type: "macro", name: macro.name };
    if (!appends) {
      this.#define(this.macros, macro);
      return;
    }
    const earlier = this.macros.get(macro.name);
    const message = "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists";
    if (!earlier) fail(INVALID, message, macro.place, item);
    earlier.condition = MappedText.join(earlier.condition, " ", macro.condition);
    earlier.visibility = this.#next++;
  }

  rule(rule: Omit<RuleItem, keyof Numbered>, item: ItemName): void {
    const earlier = this.rules.get(rule.name);
    this.#sameSource(earlier, rule.source, rule.place, item);
    const foreign = rule.source !== SOURCE;
    if (foreign) {
      this.problems.push(problem("LOAD_UNKNOWN_SOURCE", `Unknown source ${rule.source}, skipping`, rule.place, item));
    }
    const exceptions = rule.exceptions.map((each) => this.#validated(each, foreign));
    this.#define(this.rules, { ...rule, exceptions, foreign });
  }

  /** Appends to a rule's parts. */
  append(item: ItemName, place: Place, parts: RuleParts, source: string | undefined): void {
    const rule = this.rules.get(item.name);
    const message = "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists";
    if (!rule) fail(INVALID, message, place, item);
    if (Object.keys(parts).length === 0)
      fail(INVALID, "Appended rule must have exceptions or condition property", place, item);
    if (source !== undefined) this.#sameSource(rule, source, place, item);
    // Exceptions first: they may be refused, and then nothing of the item shall count.
    if (parts.exceptions) rule.exceptions = this.#appended(rule, parts.exceptions);
    if (parts.condition) rule.condition = MappedText.join(rule.condition, " ", parts.condition);
    if (parts.output) rule.output = MappedText.join(rule.output, " ", parts.output);
    if (parts.description) rule.description = `${rule.description} ${parts.description}`;
    if (parts.tags) rule.tags = [...new Set([...rule.tags, ...parts.tags])];
    rule.visibility = this.#next++;
  }

  /** Puts new parts in the place of a rule's. */
  replace(item: ItemName, place: Place, parts: RuleParts, source: string | undefined): void {
    const rule = this.rules.get(item.name);
    const message = "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists";
    if (!rule) fail(INVALID, message, place, item);
    if (source !== undefined) this.#sameSource(rule, source, place, item);
    const exceptions = parts.exceptions?.map((each) => this.#validated(each, rule.foreign));
    Object.assign(rule, parts, exceptions && { exceptions });
    rule.visibility = this.#next++;
  }

  enable(item: ItemName, place: Place, enabled: boolean): void {
    const rule = this.rules.get(item.name);
    if (!rule) fail(INVALID, "Rule has 'enabled' key but no rule by that name already exists", place, item);
    rule.enabled = enabled;
  }

  #define<T extends { name: string }>(items: Map<string, T & Numbered>, item: T): void {
    const id = this.#next++;
    const earlier = items.get(item.name);
    items.set(item.name, { ...item, index: earlier?.index ?? id, visibility: id });
  }

  #sameSource(earlier: RuleItem | undefined, source: string, place: Place, item: ItemName): void {
    if (!earlier || earlier.source === source) return;
    fail(INVALID, "Rule has been re-defined with a different source", place, item);
  }

  #validated(exception: ExceptionItem, foreign: boolean): ExceptionItem {
    return validateException(exception, foreign ? undefined : this);
  }

  #appended(rule: RuleItem, exceptions: readonly ExceptionItem[]): ExceptionItem[] {
    const all = [...rule.exceptions];
    for (const exception of exceptions) {
      const item = { type: "exception", name: exception.name };
      const at = all.findIndex(({ name }) => name === exception.name);
      const earlier = all[at];
      if (!earlier) {
        if (!exception.fields) {
          fail(INVALID, "Rule exception must have fields property with a list of fields", exception.place, item);
        }
        if (exception.values.length === 0) {
          fail(INVALID, "Rule exception must have values property with a list of values", exception.place, item);
        }
        all.push(this.#validated(exception, rule.foreign));
        continue;
      }
      for (const [part, word] of [
        [exception.fields, "fields"],
        [exception.comparisons, "comps"],
      ] as const) {
        const message = `Can not append exception ${word} to existing exception, only values`;
        if (part) fail(INVALID, message, exception.place, item);
      }
      all[at] = { ...earlier, values: [...earlier.values, ...exception.values] };
    }
    return all;
  }
}
