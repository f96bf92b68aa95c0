// What is legal in a condition but hardly meant, in Falco's words: a field or a transformer that is taken for text, and
// a regular expression that needs none.
import type { CheckContext } from "./check.ts";
import { TRANSFORMERS, VALUE_WORD } from "./words.ts";

const FIELD = /^([a-zA-Z]\w*(?:\.[a-zA-Z]\w*)+)(?:\[(.+)\])?$/;
const CALL = /^(\w+)\(.*\)$/;
// Text with an anchor, or with any characters, at its ends, and nothing else that means something in a pattern.
const SIMPLE_PATTERN = /^(?:\^|\.[+*?])?[^.+*?^$()[\]{}|\\]*(?:\$|\.[+*?])?$/;

/** What to warn of where a value stands on the right of an operator. Blanks in it are passed over, as a slip. */
export function misuses(operator: string, value: string, { findField }: Pick<CheckContext, "findField">): string[] {
  const dense = value.replace(/\s/g, "");
  const found: string[] = [];
  if (operator === "regex" && SIMPLE_PATTERN.test(value)) {
    const others = "'=', 'contains', 'startswith', 'endswith'";
    found.push(`regex check with '${value}' may be optimized with simpler operators such as ${others}`);
  }
  const [, name, argument] = FIELD.exec(dense) ?? [];
  const field = name === undefined ? undefined : findField(name, argument);
  if (field && field.field.argument !== (field.argument === undefined ? "required" : "none")) {
    found.push(`'${value}' may be a valid field misused as a const string value`);
  }
  const call = CALL.exec(dense)?.[1];
  if (call === VALUE_WORD || (call !== undefined && TRANSFORMERS.includes(call))) {
    found.push(`'${value}' may be a valid field transformer misused as a const string value`);
  }
  return found;
}
