// Lists: put together from earlier lists, and put as text into the conditions that name them, as Falco does it.
import type { ListItem } from "./items.ts";
import type { MappedText, Replacement } from "./mapped-text.ts";

/** How many items a list may have once other lists are put into it; doubling lists would grow without end. */
export const LIST_ITEMS_MAX = 20_000;
/** How long a condition may be once lists are put into it. */
export const CONDITION_CHARACTERS_MAX = 200_000;

/** A list ready to be put in. */
export interface ResolvedList {
  name: string;
  items: string[];
  used: boolean;
}

/** Puts the items of earlier lists in the place of their names. A list that grows beyond the limit keeps the names. */
export function resolveLists(lists: ReadonlyMap<string, ListItem>): ResolvedList[] {
  const resolved = new Map<string, ResolvedList>();
  const used: string[] = [];
  for (const list of lists.values()) {
    const items = list.items.flatMap((item) => {
      const other = lists.get(item);
      if (!other || other.index >= list.visibility) return [item];
      used.push(item);
      return resolved.get(item)?.items ?? other.items;
    });
    const kept = items.length <= LIST_ITEMS_MAX ? items : list.items;
    resolved.set(list.name, { name: list.name, items: kept, used: false });
  }
  for (const name of used) (resolved.get(name) as ResolvedList).used = true;
  return [...resolved.values()];
}

const BLANKS = " \t\n\r";
const DELIMITERS = `${BLANKS}(),=`;

const among = (set: string, character: string | undefined): boolean =>
  character === undefined || set.includes(character);

/** Puts every list that the condition names into it, and marks it as used. Undefined where that makes it too long. */
export function substituteLists(condition: MappedText, lists: readonly ResolvedList[]): MappedText | undefined {
  let result = condition;
  for (const list of lists) {
    if (!result.text.includes(list.name)) continue;
    const substituted = substitute(result, list);
    if (!substituted) return undefined;
    result = substituted;
  }
  return result;
}

function substitute(condition: MappedText, list: ResolvedList): MappedText | undefined {
  const whole = condition.text;
  const text = list.items.map(quoted).join(", ");
  const replacements: Replacement[] = [];
  let done = 0;
  let length = whole.length;
  for (let at = whole.indexOf(list.name); at >= 0; at = whole.indexOf(list.name, at + 1)) {
    let start = at;
    let end = at + list.name.length;
    if (start < done || !among(DELIMITERS, whole[start - 1]) || !among(DELIMITERS, whole[end])) continue;
    while (start > done && BLANKS.includes(whole[start - 1] as string)) start--;
    while (end < whole.length && BLANKS.includes(whole[end] as string)) end++;
    // An empty list leaves no comma behind.
    if (text === "" && start > done && whole[start - 1] === ",") start--;
    else if (text === "" && whole[end] === ",") end++;
    length += text.length;
    if (length > CONDITION_CHARACTERS_MAX) return undefined;
    replacements.push({ start, end, text: `${start > 0 ? " " : ""}${text} `, standsFor: at });
    done = end;
    list.used = true;
  }
  return replacements.length === 0 ? condition : condition.replace(replacements);
}

function quoted(item: string): string {
  return item.includes(" ") && !/^["']/.test(item) ? `"${item}"` : item;
}
