// Says why a condition is true of an event or is not: the parts that decided, each test with the values it saw.
import type { BatchReader } from "@nightjar/events";
import type { Value } from "../fields/definition.ts";
import type { Rule } from "../files/load.ts";
import { type Expression, fieldsOf, type Term, type Test, termName } from "../language/expression.ts";
import type { Place } from "../problem.ts";
import { EventView } from "./event-view.ts";
import { formatValue } from "./format.ts";
import { getterOf, interpret } from "./interpret.ts";

/** How a part holds its own: all, one at least, exactly one, or not the one; or it is a test, or always the same. */
export type PartKind = "all" | "any" | "exactly-one" | "not" | "test" | "constant";

/** A field's value as a test saw it; missing where the event has none. */
export interface Seen {
  field: string;
  value?: string;
  /** Of a missing one, why no event has it. */
  reason?: string;
}

export interface ExplainedPart {
  /** The whole condition is at 0. */
  depth: number;
  kind: PartKind;
  holds: boolean;
  /** Of a test: how it is written, in one form. */
  test?: string;
  seen?: readonly Seen[];
  place?: Place;
}

/** The parts that decided, outermost first, each followed by its own. */
export interface Explanation {
  parts: ExplainedPart[];
  /** So many more had a say and are left out. */
  omitted: number;
}

/** A person reads the first dozen; the rest is in the rule. */
const PARTS_MAX = 64;
const DEPTH_MAX = 32;
const TEXT_CHARACTERS_MAX = 256;
/** Of a list in a test; which of its values it was is told by what the test saw. */
const VALUES_MAX = 8;

type FieldTerm = Term & { kind: "field" };
type Read = (field: FieldTerm) => Value;

const KINDS = { and: "all", or: "any", "exactly-one": "exactly-one", not: "not" } as const;

/**
 * Explains an expression's answer about whatever `read` takes its fields' values from. Of an `and` that is true all
 * parts had a say, of one that is false those that are; of an `or` the other way round.
 */
export function explain(expression: Expression, read: Read): Explanation {
  return new Explainer(read).explain(expression);
}

/** Makes the function that explains rules' answers about the events of a batch. Throws a WireError as the engine. */
export function explainerOf(batch: BatchReader): (rule: Rule, eventIndex: number) => Explanation {
  const view = new EventView();
  view.open(batch);
  return ({ expression }, eventIndex) => {
    if (view.index !== eventIndex) view.select(eventIndex);
    return explain(expression, (field) => getterOf(field)(view));
  };
}

class Explainer {
  readonly #read: Read;
  readonly #answers = new Map<Expression, boolean>();
  readonly #values = new Map<string, Seen>();
  readonly #parts: ExplainedPart[] = [];
  #omitted = 0;

  constructor(read: Read) {
    this.#read = read;
  }

  explain(expression: Expression): Explanation {
    this.#add(expression, 0);
    return { parts: this.#parts, omitted: this.#omitted };
  }

  #holds(expression: Expression): boolean {
    const known = this.#answers.get(expression);
    if (known !== undefined) return known;
    const holds = this.#work(expression);
    this.#answers.set(expression, holds);
    return holds;
  }

  /** As interpret(), but what stands in several places is worked out once. */
  #work(expression: Expression): boolean {
    switch (expression.kind) {
      case "not":
        return !this.#holds(expression.part);
      case "and":
        return expression.parts.every((part) => this.#holds(part));
      case "or":
        return expression.parts.some((part) => this.#holds(part));
      case "exactly-one":
        return expression.parts.filter((part) => this.#holds(part)).length === 1;
      default:
        return interpret(expression, this.#read);
    }
  }

  #add(expression: Expression, depth: number): void {
    if (this.#parts.length >= PARTS_MAX || depth > DEPTH_MAX) {
      this.#omitted++;
      return;
    }
    const holds = this.#holds(expression);
    if (expression.kind === "constant") this.#parts.push({ depth, kind: "constant", holds });
    else if (expression.kind === "test") this.#parts.push({ depth, holds, ...this.#test(expression) });
    else {
      this.#parts.push({ depth, kind: KINDS[expression.kind], holds });
      for (const part of this.#deciding(expression, holds)) this.#add(part, depth + 1);
    }
  }

  #deciding(expression: Exclude<Expression, Test | { kind: "constant" }>, holds: boolean): readonly Expression[] {
    if (expression.kind === "not") return [expression.part];
    const all = expression.kind === "exactly-one" || (expression.kind === "and") === holds;
    return all ? expression.parts : expression.parts.filter((part) => this.#holds(part) === holds);
  }

  #test(test: Test): Pick<ExplainedPart, "kind" | "test" | "seen" | "place"> {
    const { fields, written, place } = describe(test);
    const seen = fields.map(({ term, name }) => this.#seen(term, name));
    return { kind: "test", test: written, seen, ...(place && { place }) };
  }

  /** Most tests of a condition ask for the same few fields. */
  #seen(term: FieldTerm, name: string): Seen {
    const seen = this.#values.get(name) ?? seenOf(term, name, this.#read(term));
    this.#values.set(name, seen);
    return seen;
  }
}

function seenOf(term: FieldTerm, field: string, value: Value): Seen {
  if (value !== undefined) return { field, value: clip(formatValue(value)) };
  return term.field.getter ? { field } : { field, reason: term.field.from };
}

/** What is the same of a test whatever the event: worked out when it is first explained. */
interface Described {
  fields: readonly { term: FieldTerm; name: string }[];
  written: string;
  place: Place | undefined;
}

const known = new WeakMap<Test, Described>();

/** A rule that matched once will again, and finding places in files takes longest. */
function describe(test: Test): Described {
  let described = known.get(test);
  if (!described) {
    const fields = [...fieldsOf(test)].map((term) => ({ term, name: termName(term) }));
    const place = test.origin?.text.place(test.origin.offset);
    described = { fields, written: writeTest(test), place };
    known.set(test, described);
  }
  return described;
}

/** A test as a person would write it: proc.name in (bash, sh). */
export function writeTest({ left, source }: Test): string {
  const [, operator = source, list] = /^([^[]*) (\[.*\])$/s.exec(source) ?? [];
  return clip(`${termName(left)} ${list === undefined ? source : `${operator} ${writeValues(operator, list)}`}`);
}

const LIST_OPERATORS = new Set(["in", "intersects", "pmatch"]);

function writeValues(operator: string, list: string): string {
  const values = (JSON.parse(list) as unknown[]).map((value) => String(value) || '""');
  if (values.length === 1 && !LIST_OPERATORS.has(operator)) return values[0] as string;
  const more = values.length - VALUES_MAX;
  return `(${[...values.slice(0, VALUES_MAX), ...(more > 0 ? [`${more} more`] : [])].join(", ")})`;
}

function clip(text: string): string {
  return text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX)}…` : text;
}
