// Reads suppressions: exceptions that stand beside the rules, each with its rules, its condition, reason and end.
import { checkCondition } from "../engine/condition.ts";
import { findField } from "../fields/catalogue.ts";
import { EVENT_NAMES } from "../fields/event-names.ts";
import { fail, ItemError, type ItemName, text, texts } from "../files/decode.ts";
import type { Rule, RulesFile } from "../files/load.ts";
import { FILE_CHARACTERS_MAX } from "../files/read.ts";
import { type MappingValue, readYaml, type Value } from "../files/yaml.ts";
import type { Expression } from "../language/expression.ts";
import { compileGlob } from "../language/glob.ts";
import { type Problem, problem } from "../problem.ts";

/** Beyond, the rest is refused: each is asked at every match of its rules. */
export const SUPPRESSIONS_MAX = 1_000;

/** One exception: of these rules, what this condition is true of is hidden until it expires. */
export interface Suppression {
  /** The only one of that name. */
  name: string;
  /** Names of rules, or shell patterns of names. */
  rules: readonly string[];
  /** Or rules that have one of these. */
  tags: readonly string[];
  /** As it was written. */
  condition: string;
  expression: Expression;
  reason: string;
  author: string;
  /** ms since 1970; undefined for one without an end. */
  expiresMs?: number;
  /** "file:line". */
  place: string;
}

const KEYS = new Set(["suppression", "rules", "tags", "condition", "reason", "author", "expires"]);
const INVALID = "SUPPRESSION_INVALID";
const MS_PER_DAY = 86_400_000;
/** A day, whose end counts, or a moment with its zone. */
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/;

/** Never throws on what the files hold: a suppression with a fault is left out, hides nothing and is told of. */
export function loadSuppressions(
  files: readonly RulesFile[],
  rules: readonly Pick<Rule, "name" | "tags">[],
): { suppressions: Suppression[]; problems: Problem[] } {
  const suppressions: Suppression[] = [];
  const problems: Problem[] = [];
  const names = new Set<string>();
  for (const item of files.flatMap((file) => itemsOf(file, problems))) {
    try {
      const suppression = read(item, names);
      names.add(suppression.name);
      suppressions.push(suppression);
      const applies = rules.some((rule) => appliesTo(suppression, rule));
      if (!applies) problems.push(warnOfNoRule(suppression, item));
    } catch (error) {
      if (!(error instanceof ItemError)) throw error;
      problems.push(error.problem);
    }
  }
  return { suppressions, problems };
}

/** Whether a suppression speaks of a rule. */
export function appliesTo({ rules, tags }: Suppression, rule: Pick<Rule, "name" | "tags">): boolean {
  return rules.some((pattern) => compileGlob(pattern)(rule.name)) || rule.tags.some((tag) => tags.includes(tag));
}

function itemsOf({ name: file, text: content }: RulesFile, problems: Problem[]): Value[] {
  const whole: ItemName = { type: "suppressions content", name: "" };
  const start = { file, line: 1, column: 1 };
  if (content.length > FILE_CHARACTERS_MAX) {
    const message = `the file has more than ${FILE_CHARACTERS_MAX} characters`;
    problems.push(problem("RULES_FILE_TOO_LARGE", message, start, whole));
    return [];
  }
  const { documents, problems: unread } = readYaml(file, content);
  problems.push(...unread);
  return documents.flatMap((document) => {
    if (document.kind === "sequence") return document.items;
    problems.push(problem(INVALID, "suppressions are a list", document.place, whole));
    return [];
  });
}

function read(value: Value, names: ReadonlySet<string>): Suppression {
  const unnamed: ItemName = { type: "suppression", name: "" };
  if (value.kind !== "mapping") return fail(INVALID, "a suppression is a mapping", value.place, unnamed);
  const named = required(value, "suppression", unnamed);
  const item: ItemName = { type: "suppression", name: named.text };
  if (names.size >= SUPPRESSIONS_MAX) fail(INVALID, `more than ${SUPPRESSIONS_MAX} suppressions`, value.place, item);
  if (names.has(named.text)) fail(INVALID, "there is another suppression of that name", named.place, item);
  for (const [key, { key: place }] of value.entries) {
    if (!KEYS.has(key)) fail(INVALID, `a suppression has no key '${key}'`, place, item);
  }
  const rules = textsAt(value, "rules", item);
  const tags = textsAt(value, "tags", item);
  if (rules.length + tags.length === 0) {
    fail(INVALID, "a suppression names its rules in 'rules' or 'tags'", value.place, item);
  }
  const expiresMs = value.entries.has("expires") ? readEnd(value, item) : undefined;
  return {
    name: named.text,
    ...{ rules, tags },
    ...readCondition(value, item),
    reason: required(value, "reason", item).text,
    author: value.entries.has("author") ? required(value, "author", item).text : "",
    ...(expiresMs !== undefined && { expiresMs }),
    place: `${value.place.file}:${value.place.line}`,
  };
}

/** The text at a key, refused with the code of suppressions where it is missing or none. */
function required(value: MappingValue, key: string, item: ItemName) {
  return recoded(() => text(value, key, item));
}

/** One text, or several in a sequence. */
function textsAt(value: MappingValue, key: string, item: ItemName): readonly string[] {
  const entry = value.entries.get(key);
  if (!entry) return [];
  return recoded(() =>
    entry.value.kind === "text" ? [text(value, key, item).text] : (texts(value, key, item, true) ?? []),
  );
}

function recoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof ItemError)) throw error;
    throw new ItemError({ ...error.problem, code: INVALID });
  }
}

function readCondition(value: MappingValue, item: ItemName): Pick<Suppression, "condition" | "expression"> {
  const { text: condition, mapped } = required(value, "condition", item);
  const context = { findField, isEventName: (name: string) => EVENT_NAMES.has(name) };
  const { expression, problem: fault } = checkCondition(condition, context);
  if (expression) return { condition, expression };
  return fail("SUPPRESSION_CONDITION", fault?.message ?? "", mapped().place(fault?.offset ?? 0), item);
}

function readEnd(value: MappingValue, item: ItemName): number {
  const { text: written, place } = required(value, "expires", item);
  const ms = DAY.test(written)
    ? Date.parse(written) + MS_PER_DAY
    : MOMENT.test(written)
      ? Date.parse(written)
      : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  return fail(INVALID, "'expires' is a day, 2026-12-31, or a moment, 2026-12-31T18:00:00Z", place, item);
}

function warnOfNoRule({ name }: Suppression, { place }: Value): Problem {
  return problem("SUPPRESSION_NO_RULE", "no rule has that name or tag", place, { type: "suppression", name });
}
