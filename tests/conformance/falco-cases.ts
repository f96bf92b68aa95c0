// How a case of Falco's tests is put to the rule language, one function for each section.
import {
  checkCondition,
  compileCondition,
  EVENT_NAMES,
  interpret,
  type LoadContext,
  loadRules,
  type Problem,
  parse,
  print,
  type Rule,
  type Value,
} from "@nightjar/rules";
import { type FlatEvent, flatField, MOCK_EVENT } from "./flat-fields.ts";

/** A case as it stands in falco_cases.json; which keys there are depends on the section. */
export interface Case {
  id: string;
  section: string;
  expected: string;
  filter?: string;
  canonical?: string;
  note?: string;
  event_fields?: FlatEvent;
  rules_yaml?: string;
  rules_files?: { file: string; yaml: string }[];
  compiled?: { condition?: Record<string, string> };
  message_contains?: string | string[];
  warning_contains?: string[];
  must_not_contain?: string[];
  has_warnings?: boolean;
  rules_enabled?: number;
  errors?: Record<string, unknown>[];
  capture?: string;
  options?: Partial<Record<"DisabledRules" | "DisabledTags" | "EnabledTags", string[]>> & { MinRulePriority?: string };
  json_old_messages?: boolean;
  detections?: Record<string, number | string>;
}

/** A case of falco_filter_diff.json: the numbers of the events that match. */
export interface FilterCase {
  capture: string;
  filter: string;
  match: number[];
  flat_fields_suffice: boolean;
}

type Events = Readonly<Record<string, readonly FlatEvent[]>>;

const context: LoadContext = contextOf({});

/** What there is to compare where an event has these fields. */
function contextOf(event: FlatEvent): LoadContext {
  return {
    findField: (name, argument) => flatField(name, argument, event),
    isEventName: (name) => EVENT_NAMES.has(name),
  };
}

/** What came out otherwise than the case expects; empty when it passes. */
export function differences(each: Case, events: Events): string[] {
  if (each.section === "filter-parse") return parsing(each);
  if (each.section === "filter-compile") return compiling(each);
  if (each.section.startsWith("filter-")) return evaluating(each);
  if (each.section.startsWith("rules-replay")) return replaying(each, events);
  return loading(each);
}

function listOf(text: string | string[] | undefined): string[] {
  return text === undefined ? [] : [text].flat();
}

function differs(what: string, expected: unknown, found: unknown): string[] {
  return expected === found ? [] : [`${what}: expected ${String(expected)}, found ${String(found)}`];
}

function parsing({ filter = "", expected, canonical, note, message_contains }: Case): string[] {
  const blanks = note?.startsWith("also with leading")
    ? [` ${filter} `, filter.replaceAll(" ", "\n"), filter.replaceAll(" ", "\t")]
    : [];
  const outcomes = [filter, ...blanks].flatMap((text) =>
    differs(JSON.stringify(text), expected, parse(text).node ? "ok" : "error"),
  );
  const { node, problem } = parse(filter);
  const form = canonical === undefined || !node ? [] : differs("canonical form", canonical, print(node));
  const said = listOf(message_contains).filter((message) => !problem?.message.includes(message));
  return [...outcomes, ...form, ...said.map((message) => `does not say: ${message}`)];
}

function compiling({ filter = "", expected, message_contains }: Case): string[] {
  const { problem, warnings } = checkCondition(filter, context);
  const found = problem ? "error" : warnings.length > 0 ? "warning" : "ok";
  const said = listOf(message_contains).filter((message) => !problem?.message.includes(message));
  return [...differs("outcome", expected, found), ...said.map((message) => `does not say: ${message}`)];
}

function evaluating({ filter = "", expected, event_fields = {} }: Case): string[] {
  const event = { ...LEFT_OUT[String(event_fields["evt.type"])], ...event_fields, ...MOCK_EVENT };
  const { expression, problem } = checkCondition(filter, contextOf(event));
  if (!expression) return differs("outcome", expected, problem ? "error" : "ok");
  const compiled = compileCondition<FlatEvent>(expression)(event);
  const interpreted = interpret(expression, ({ field, argument }) => {
    const getter = field.getter?.(argument) as ((from: FlatEvent) => Value) | undefined;
    return getter?.(event);
  });
  const outcome = expected === "ok" || expected === "error" ? "ok" : compiled ? "match" : "nomatch";
  return [...differs("outcome", expected, outcome), ...differs("interpreted", compiled, interpreted)];
}

/** What an event of the original tests has and its flat form leaves out, by its type. */
const LEFT_OUT: Readonly<Record<string, FlatEvent>> = {
  getcwd: { "evt.arg.res": "ENOENT", "evt.args": "res=-2(ENOENT) path=/test/dir" },
};

export function filterDifferences({ filter, match }: FilterCase, events: readonly FlatEvent[]): string[] {
  const { expression, problem } = checkCondition(filter, context);
  if (!expression) return [problem?.message ?? "no expression"];
  const holds = compileCondition<FlatEvent>(expression);
  const found = new Set(events.filter(holds).map((event) => event["evt.num"] as number));
  const expected = new Set(match);
  const extra = [...found].filter((number) => !expected.has(number)).map((number) => `event ${number} matches`);
  const lost = match.filter((number) => !found.has(number)).map((number) => `event ${number} does not match`);
  return [...extra, ...lost];
}

function filesOf({ rules_files, rules_yaml = "" }: Case): { name: string; text: string }[] {
  return (
    rules_files?.map(({ file, yaml }) => ({ name: file, text: yaml })) ?? [{ name: "rules.yaml", text: rules_yaml }]
  );
}

function loading(each: Case): string[] {
  const { rules, problems } = loadRules(filesOf(each));
  const errors = problems.filter(({ severity }) => severity === "error");
  const warnings = problems.filter(({ severity }) => severity === "warning");
  const lacks = (list: readonly Problem[], wanted: readonly string[]): string[] =>
    wanted
      .filter((message) => !list.some((one) => one.message.includes(message)))
      .map((message) => `does not say: ${message}`);
  const outcome = each.expected === "error" ? "error" : "ok";
  return [
    ...differs("outcome", outcome, errors.length > 0 ? "error" : "ok"),
    ...lacks(errors, listOf(each.message_contains)),
    ...lacks(warnings, each.warning_contains ?? []),
    ...(each.must_not_contain ?? []).filter((text) => problems.some(({ message }) => message.includes(text))),
    ...(each.has_warnings === false ? warnings.map(({ message }) => `warns: ${message}`) : []),
    ...enabledDifferences(each, rules),
    ...conditionDifferences(each, rules),
    ...firstErrorDifferences(each, errors),
  ];
}

function enabledDifferences({ rules_enabled }: Case, rules: readonly Rule[]): string[] {
  return rules_enabled === undefined
    ? []
    : differs("enabled rules", rules_enabled, rules.filter(({ enabled }) => enabled).length);
}

function conditionDifferences({ compiled }: Case, rules: readonly Rule[]): string[] {
  return Object.entries(compiled?.condition ?? {}).flatMap(([name, expected]) => {
    const tree = rules.find((rule) => rule.name === name)?.tree;
    return differs(`condition of ${name}`, expected, tree && print(tree));
  });
}

/** Falco stops at its first error; ours goes on, so only the first is compared. */
function firstErrorDifferences({ errors, json_old_messages }: Case, found: readonly Problem[]): string[] {
  const expected = (errors ?? []).find((error) => "Code" in error || "code" in error);
  const first = found[0];
  if (!expected || !first) return [];
  const wanted = (key: string, old: string): unknown => expected[key] ?? expected[old];
  const message = wanted("Message", "message");
  const name = wanted("ItemName", "item_name");
  return [
    ...differs("code", wanted("Code", "code"), first.code),
    ...differs("item", wanted("ItemType", "item_type"), first.item?.type),
    ...(name === undefined ? [] : differs("item's name", name, first.item?.name)),
    // Words of an engine older than the language that is spoken here.
    ...(typeof message === "string" && !json_old_messages && !first.message.includes(message)
      ? [`says: ${first.message}`]
      : []),
  ];
}

/** The rules that Falco's command line leaves on: none where it refuses what is asked of it. */
function selected(rules: readonly Rule[], options: NonNullable<Case["options"]>): readonly Rule[] | undefined {
  const { DisabledRules = [], DisabledTags = [], EnabledTags = [], MinRulePriority } = options;
  if (EnabledTags.length > 0 && DisabledRules.length + DisabledTags.length > 0) return undefined;
  const least = MinRulePriority === undefined ? Number.POSITIVE_INFINITY : PRIORITIES.indexOf(MinRulePriority) + 1;
  const tagged = (rule: Rule, tags: readonly string[]): boolean => rule.tags.some((tag) => tags.includes(tag));
  return rules.filter((rule) => {
    const off = DisabledRules.some((part) => rule.name.includes(part)) || tagged(rule, DisabledTags);
    const on = EnabledTags.length > 0 ? tagged(rule, EnabledTags) : rule.enabled;
    return on && !off && rule.priority <= least;
  });
}

/** By the numbers of the enum Priority, from 1 on. */
const PRIORITIES = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];

/** Rules over a recorded capture, with Falco's default: the first rule that is true of an event hides the others. */
function replaying(each: Case, events: Events): string[] {
  const capture = (each.capture ?? "").replace(/^.*\//, "").replace(/\.scap$/, "");
  const recorded = events[capture];
  if (!recorded) return [`no events of ${capture}`];
  const { rules, problems } = loadRules(filesOf(each), context);
  const chosen = problems.some(({ severity }) => severity === "error")
    ? undefined
    : selected(rules, each.options ?? {});
  if (!chosen) return differs("outcome", each.expected, "error");
  const active = chosen.map((rule) => ({ rule, holds: compileCondition<FlatEvent>(rule.expression) }));
  const counts = new Map<string, number>([["any", 0]]);
  for (const event of recorded) {
    const matched = active.find(({ holds }) => holds(event))?.rule;
    if (!matched) continue;
    const priority = `priority=${PRIORITIES[matched.priority - 1]}`;
    for (const key of ["any", `rule=${matched.name}`, priority]) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const any = counts.get("any") ?? 0;
  return [
    ...differs("outcome", each.expected, any > 0 ? "match" : "nomatch"),
    ...Object.entries(each.detections ?? {}).flatMap(([key, expected]) => {
      const found = counts.get(key) ?? 0;
      return expected === ">0" ? differs(key, true, found > 0) : differs(key, expected, found);
    }),
  ];
}
