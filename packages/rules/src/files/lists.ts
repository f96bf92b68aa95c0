// Lists: put together from earlier lists, and put as text into the conditions that name them, as Falco does it.
import type { ListItem } from "./items.ts";
import type { MappedText } from "./mapped-text.ts";

/** A list ready to be put in. */
export interface ResolvedList {
  name: string;
  items: string[];
  used: boolean;
}

/** Puts the items of earlier lists in the place of their names. */
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
    resolved.set(list.name, { name: list.name, items, used: false });
  }
  for (const name of used) (resolved.get(name) as ResolvedList).used = true;
  return [...resolved.values()];
}

const BLANKS = " \t\n\r";
const DELIMITERS = `${BLANKS}(),=`;

const among = (set: string, character: string | undefined): boolean =>
  character === undefined || set.includes(character);

/** Puts every list that the condition names into it, and marks it as used. */
export function substituteLists(condition: MappedText, lists: readonly ResolvedList[]): MappedText {
  let result = condition;
  for (const list of lists) {
    if (result.text.includes(list.name)) result = substitute(result, list);
  }
  return result;
}

function substitute(condition: MappedText, list: ResolvedList): MappedText {
  const text = list.items.map(quoted).join(", ");
  let result = condition;
  let at = result.text.indexOf(list.name);
  while (at >= 0) {
    const whole = result.text;
    let start = at;
    let end = at + list.name.length;
    let next = at + 1;
    if (among(DELIMITERS, whole[start - 1]) && among(DELIMITERS, whole[end])) {
      while (start > 0 && BLANKS.includes(whole[start - 1] as string)) start--;
      while (end < whole.length && BLANKS.includes(whole[end] as string)) end++;
      // An empty list leaves no comma behind.
      if (text === "" && start > 0 && whole[start - 1] === ",") start--;
      else if (text === "" && whole[end] === ",") end++;
      const before = start > 0 ? " " : "";
      result = result.replace(start, end, `${before}${text} `, at);
      next = start + before.length + text.length + 1;
      list.used = true;
    }
    at = result.text.indexOf(list.name, next);
  }
  return result;
}

function quoted(item: string): string {
  return item.includes(" ") && !/^["']/.test(item) ? `"${item}"` : item;
}
