// Exceptions of rules: checked, and turned into the part of the condition they stand for.
import { type CheckContext, checkTerm } from "../language/check.ts";
import { parseOperand } from "../language/parse.ts";
import { OPERATORS, QUANTIFIERS } from "../language/words.ts";
import { fail } from "./decode.ts";
import type { Entry, ExceptionItem } from "./items.ts";
import { MappedText } from "./mapped-text.ts";

const INVALID = "LOAD_ERR_VALIDATE";
const LIST_OPERATORS = OPERATORS.filter(([, right]) => right === "list").map(([word]) => word);
const STRING_OPERATORS = OPERATORS.filter(([, right]) => right === "string").map(([word]) => word);
const COMPARISONS = new Set([
  ...OPERATORS.map(([word]) => word),
  ...STRING_OPERATORS.flatMap((word) => QUANTIFIERS.map((quantifier) => `${word} ${quantifier}`)),
]);

function isList(entry: Entry | undefined): entry is Entry[] {
  return Array.isArray(entry);
}

/** Checks an exception and fills in the comparisons it leaves out. Without a context its fields are not looked up. */
export function validateException(
  exception: ExceptionItem,
  context: Pick<CheckContext, "findField"> | undefined,
): ExceptionItem {
  const { fields, place, name } = exception;
  const item = { type: "exception", name };
  const refuse = (message: string): never => fail(INVALID, message, place, item);
  if (!fields) return refuse("Rule exception item must have fields property with a list of fields");
  const plain = (text: string): MappedText => MappedText.of(text, () => place);
  const told = exception.comparisons && trimmed(exception.comparisons);
  const comparisons = told ?? (isList(fields) ? fields.map(() => plain("=")) : plain("in"));
  if (isList(fields)) {
    if (!isList(comparisons) || fields.length !== comparisons.length)
      refuse("Fields and comps lists must have equal length");
    for (const each of comparisons as Entry[]) {
      const text = isList(each) ? "" : each.text;
      if (!COMPARISONS.has(text)) refuse(`'${text}' is not a supported comparison operator`);
    }
  } else {
    if (isList(comparisons)) return refuse("Fields and comps must both be strings");
    if (!LIST_OPERATORS.includes(comparisons.text)) {
      refuse("When fields is a single value, comps must be one of (in, pmatch, intersects)");
    }
  }
  for (const field of isList(fields) ? fields : [fields]) {
    const text = isList(field) ? "" : field.text;
    if (context && !isField(text, context)) refuse(`'${text}' is not a supported filter field`);
  }
  return { ...exception, comparisons };
}

function trimmed(entry: Entry): Entry {
  return isList(entry) ? entry.map(trimmed) : MappedText.of(entry.text.trim(), () => entry.place(0));
}

function isField(text: string, context: Pick<CheckContext, "findField">): boolean {
  const found = parseOperand(text.trim(), 0);
  return found?.end === text.trim().length && "term" in checkTerm(found.operand, context);
}

/** A condition with its exceptions: "(condition) and not …". */
export function withExceptions(condition: MappedText, exceptions: readonly ExceptionItem[]): MappedText {
  if (exceptions.length === 0) return condition;
  const clauses = exceptions.flatMap((exception) => {
    const clause = isList(exception.fields) ? severalFields(exception, exception.fields) : oneField(exception);
    return clause ? [" and not ", clause] : [];
  });
  return MappedText.join("(", condition, ")", ...clauses);
}

function oneField({ name, place, fields, comparisons, values }: ExceptionItem): MappedText | undefined {
  if (values.length === 0) return undefined;
  const texts = values.flatMap((value, at) => {
    if (isList(value)) {
      const item = { type: "exception", name };
      return fail(INVALID, "Expected values array to contain a list of strings", place, item);
    }
    return at === 0 ? [quoted(value)] : [", ", quoted(value)];
  });
  return MappedText.join("(", fields as MappedText, " ", comparisons as MappedText, " (", ...texts, "))");
}

function severalFields({ name, place, comparisons, values }: ExceptionItem, fields: Entry[]): MappedText | undefined {
  if (values.length === 0) return undefined;
  const alternatives = values.map((value) => {
    if (!isList(value) || value.length !== fields.length) {
      fail(INVALID, "Fields and values lists must have equal length", place, { type: "exception", name });
    }
    const parts = fields.flatMap((field, at) => {
      const comparison = (comparisons as Entry[])[at] as MappedText;
      const comparisonAndValue = [" ", comparison, " ", right((value as Entry[])[at] as Entry, comparison.text)];
      return [at === 0 ? " " : " and ", field as MappedText, ...comparisonAndValue];
    });
    return MappedText.join("(", ...parts, ")");
  });
  return MappedText.join("(", ...alternatives.flatMap((each, at) => (at === 0 ? [each] : [" or ", each])), ")");
}

function right(value: Entry, comparison: string): MappedText {
  if (isList(value)) {
    const texts = value.flatMap((each, at) => [at === 0 ? "" : ", ", quoted(each as MappedText)]);
    return texts.length === 0
      ? MappedText.of("()", () => ({ file: "", line: 1, column: 1 }))
      : MappedText.join("(", ...texts, ")");
  }
  const takesList = LIST_OPERATORS.includes(comparison) || QUANTIFIERS.some((word) => comparison.endsWith(` ${word}`));
  if (!takesList) return quoted(value);
  return value.text.startsWith("(") ? value : MappedText.join("(", value, ")");
}

/** Falco quotes what has a blank in it and no quote before it; anything else must be a token as it is. */
function quoted(value: MappedText): MappedText {
  return value.text.includes(" ") && !/^["']/.test(value.text) ? MappedText.join('"', value, '"') : value;
}
