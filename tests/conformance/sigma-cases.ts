// How a case of the Sigma engines' tests is put to ours, one function for each section, over events given as JSON.
import {
  type CorrelatedRule,
  CorrelationEngine,
  compileCondition,
  EVENT_NAMES,
  type Field,
  findField,
  interpret,
  type LoadResult,
  loadRules,
  type Problem,
  parseSigmaCondition,
  type Rule,
  type Value,
  type View,
} from "@nightjar/rules";

type JsonEvent = Readonly<Record<string, unknown>>;

/** A case as it stands in sigma_cases.json; which keys there are depends on the section. */
export interface SigmaCase {
  id: string;
  section: "match" | "regression" | "parse" | "condition" | "correlation";
  expected: unknown;
  rule_yaml?: string;
  condition?: string;
  event?: JsonEvent;
  events?: readonly JsonEvent[];
  match_count?: number;
  placeholders?: Readonly<Record<string, readonly string[]>>;
}

/** A value of JSON as fields have them: null is missing, several are a list. */
function fieldValue(found: unknown): Value {
  if (found === null || found === undefined) return undefined;
  if (Array.isArray(found)) {
    const values = found.flatMap(fieldValue).filter((each) => each !== undefined);
    return values.length > 0 ? (values as Value) : undefined;
  }
  return typeof found === "object" ? JSON.stringify(found) : (found as Value);
}

/** A name with dots is a key as it stands, or a path through the objects, each step of which may have dots itself. */
function lookUp(event: unknown, name: string): unknown {
  if (Array.isArray(event)) {
    const found = event.map((each) => lookUp(each, name)).filter((each) => each !== undefined);
    return found.length > 0 ? found : undefined;
  }
  if (typeof event !== "object" || event === null) return undefined;
  if (name in event) return (event as JsonEvent)[name];
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const inner = (event as JsonEvent)[name.slice(0, dot)];
    const found = inner === undefined ? undefined : lookUp(inner, name.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every text and number anywhere in an event. */
function leavesOf(value: unknown): Value[] {
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(leavesOf);
  return value === null || value === undefined ? [] : [value as Value];
}

type Get = (event: JsonEvent) => Value;

function fieldTerm(name: string, get: Get): ReturnType<View["field"]> {
  const field: Field = {
    ...(findField("evt.type") as { field: Field }).field,
    name,
    several: "any",
    getter: () => get as unknown as ReturnType<NonNullable<Field["getter"]>>,
  };
  const { valuesOn: _, ...open } = field;
  return { kind: "field", field: open, type: "string", list: true };
}

const ANYWHERE = fieldTerm("anywhere", (event) => {
  const leaves = leavesOf(event);
  return leaves.length > 0 ? leaves : undefined;
});

/** Events of any logsource, with whatever fields they have. */
const VIEW: View = {
  scope: { kind: "constant", value: true },
  field: (name) => fieldTerm(name, (event) => fieldValue(lookUp(event, name))),
  keywords: ANYWHERE ? [ANYWHERE] : [],
};

export function loadCase({ rule_yaml = "", placeholders = {} }: SigmaCase): LoadResult {
  return loadRules([{ name: "rule.yml", text: rule_yaml }], {
    findField,
    isEventName: (name) => EVENT_NAMES.has(name),
    sigma: { viewsOf: () => ({ views: [VIEW] }), placeholders: new Map(Object.entries(placeholders)) },
  });
}

/** What came out otherwise than the case expects; empty when it passes. */
export function differences(each: SigmaCase): string[] {
  if (each.section === "condition") return ofCondition(each);
  if (each.section === "parse") return ofParsing(each);
  return each.section === "correlation" ? ofCorrelation(each) : ofMatching(each);
}

function differs(what: string, expected: unknown, found: unknown): string[] {
  return expected === found ? [] : [`${what}: expected ${String(expected)}, found ${String(found)}`];
}

function ofCondition({ condition = "", expected }: SigmaCase): string[] {
  return differs("outcome", expected, "condition" in parseSigmaCondition(condition) ? "ok" : "error");
}

/** What must load, loads in a parser: what values, chains and references mean, its engine finds out only later. */
const AFTER_PARSING: readonly Problem["code"][] = [
  "SIGMA_VALUE",
  "SIGMA_MODIFIER_CHAIN",
  "SIGMA_REGEX",
  "SIGMA_PLACEHOLDER_UNKNOWN",
  "CORRELATION_UNKNOWN_RULE",
];

function ofParsing(each: SigmaCase): string[] {
  const errors = loadCase(each).problems.filter(({ severity }) => severity === "error");
  const counted = each.expected === "ok" ? errors.filter(({ code }) => !AFTER_PARSING.includes(code)) : errors;
  const found = counted.length > 0 ? "error" : "ok";
  return [...differs("outcome", each.expected, found), ...counted.map(({ message }) => message)].slice(
    0,
    each.expected === found ? 0 : undefined,
  );
}

function holds(rule: Rule, event: JsonEvent): { compiled: boolean; interpreted: boolean } {
  const interpreted = interpret(rule.expression, ({ field, argument }) => {
    const get = field.getter?.(argument) as Get | undefined;
    return get?.(event);
  });
  return { compiled: compileCondition<JsonEvent>(rule.expression)(event), interpreted };
}

function ofMatching(each: SigmaCase): string[] {
  const { rules, problems } = loadCase(each);
  const errors = problems.filter(({ severity }) => severity === "error").map(({ message }) => message);
  if (errors.length > 0) return errors;
  const events = each.events ?? (each.event ? [each.event] : []);
  const outcomes = events.map((event) => rules.map((rule) => holds(rule, event)));
  const split = outcomes.flat().filter(({ compiled, interpreted }) => compiled !== interpreted);
  const matched = outcomes.flat().filter(({ compiled }) => compiled).length;
  return [
    ...differs("outcome", each.expected, matched > 0 ? "match" : "nomatch"),
    ...countDifferences(each, matched),
    ...differs("answers of compiled and interpreted that differ", 0, split.length),
  ];
}

/** SigmaHQ counts alerts, of which its recorded events may make several. */
function countDifferences({ section, match_count: count }: SigmaCase, matched: number): string[] {
  if (count === undefined || (section === "regression" && matched >= count)) return [];
  return differs("matches", count, matched);
}

/** Of a correlation, an event at a time in seconds, and how many correlations fire with it where the case says. */
interface Step {
  ts: number;
  event: JsonEvent;
  expect_correlations?: number;
}

function ofCorrelation(each: SigmaCase): string[] {
  const { rules, correlations, correlated, problems } = loadCase(each);
  const errors = problems.filter(({ severity }) => severity === "error").map(({ message }) => message);
  // Events come in the order of time, and each is judged at once.
  const engine = new CorrelationEngine(correlations, 0);
  const steps = (each.events ?? []) as unknown as readonly Step[];
  const found = steps.flatMap(({ ts, event, expect_correlations: expected }, position) => {
    const matched = rules.filter((rule) => holds(rule, event).compiled);
    const matches = matched.map((rule) => {
      const fields = valuesOfEvent(correlated.get(rule.name)?.fields ?? new Map(), event);
      return { rule: rule.name, source: "", position, timeUs: ts * US_PER_S, fields, lineage: [] };
    });
    const fired = engine.take(matches, ts * US_PER_S).length;
    return expected === undefined ? [] : differs(`correlations at event ${position}`, expected, fired);
  });
  return [...errors, ...found];
}

const US_PER_S = 1_000_000;

function valuesOfEvent(fields: CorrelatedRule["fields"], event: JsonEvent): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of fields.keys()) {
    const value = fieldValue(lookUp(event, name));
    if (value !== undefined) values[name] = String(value);
  }
  return values;
}
