// Derives from rules what of each event type they can be true of: an approximation from above, so that what is outside
// of it can match no rule. A missing field makes every comparison false, so only a `not` can be true without one.
import { NO_PORT } from "@nightjar/events";
import type { Rule } from "../files/load.ts";
import { ALWAYS, type Expression, NEVER, remembering, rewriter, type Test, termName } from "../language/expression.ts";
import { holds } from "../language/tests.ts";
import { hasNoBytes, patternsOf, readSource } from "./path-pattern.ts";
import { CLASS_FAILED, classesOf, type Fact, filterRow, type KeyField } from "./rows.ts";
import { everything, isNothing, join, type KeySet, meet, NOTHING, type Wish, wishFor } from "./wish.ts";

/** The kernel's own limit of a task's name, TASK_COMM_LEN without the NUL. */
const COMMAND_BYTES_MAX = 15;
/** A range of ports is written out up to so many. */
const PORT_RANGE_MAX = 1024;
const PORT_MAX = 65_535;

/** What a rule can be true of in a class of an event type. */
export interface Contribution {
  rule: Rule;
  class: number;
  wish: Wish;
}

/** What all rules together want of an event type: of each class the union, and who contributed what. */
export interface TypeWish {
  eventType: number;
  classes: ReadonlyMap<number, Wish>;
  contributions: readonly Contribution[];
}

/** `possible` are the rules that can be true of the type, each narrowed to it. */
export function wishOfType(eventType: number, possible: readonly { rule: Rule; expression: Expression }[]): TypeWish {
  const classes = new Map<number, Wish>();
  const contributions: Contribution[] = [];
  for (const { class: number, facts } of classesOf(eventType)) {
    const narrow = narrower(facts);
    const keys = filterRow(eventType).keys;
    const derive = deriver((name) => usableKey(keys[name], number));
    for (const { rule, expression } of possible) {
      const wish = derive(narrow(expression));
      if (isNothing(wish)) continue;
      contributions.push({ rule, class: number, wish });
      classes.set(number, join(classes.get(number) ?? NOTHING, wish));
    }
  }
  return { eventType, classes, contributions };
}

/** Of an event that failed the kernel resolved no path. */
function usableKey(field: KeyField | undefined, of: number): KeyField | undefined {
  return field?.key === "path" && (of & CLASS_FAILED) !== 0 ? undefined : field;
}

/** Decides tests that no value a class allows can pass. Those that all pass stay where the field may be missing. */
function narrower(facts: Readonly<Record<string, Fact>>): (expression: Expression) => Expression {
  return rewriter((test) => narrowTest(test, facts));
}

function narrowTest(test: Test, facts: Readonly<Record<string, Fact>>): Expression {
  const { left } = test;
  const fact = left.kind === "field" && left.argument === undefined ? facts[left.field.name] : undefined;
  if (!fact || test.right || test.several) return test;
  if ("values" in fact) {
    const answers = fact.values.map((value) => holds(test.test, value, test.operand));
    if (fact.present && answers.every((answer) => answer)) return ALWAYS;
    return answers.some((answer) => answer) ? test : NEVER;
  }
  const isPossible = "other" in fact ? test.test !== "equals" || test.operand !== fact.other : isInRange(test, fact);
  return isPossible ? test : NEVER;
}

/** Above `least` or below `most` there are numbers without end: only a bound on the other side excludes them. */
function isInRange({ test, operand }: Test, fact: { least: number } | { most: number }): boolean {
  const among = (value: unknown) => ("least" in fact ? Number(value) >= fact.least : Number(value) <= fact.most);
  if (test === "equals") return among(operand);
  if (test === "in") return [...(operand as Set<unknown>)].some(among);
  const towards = "least" in fact ? { strict: "less", loose: "less-or-equal" } : OPPOSITE;
  const edge = "least" in fact ? fact.least : fact.most;
  if (test === towards.loose) return holds(test, edge, operand);
  return test === towards.strict ? holds(test, edge, operand) : true;
}

const OPPOSITE = { strict: "greater", loose: "greater-or-equal" } as const;

/** Makes the function that tells what an expression can be true of; `keyOf` finds the key that a field is. */
function deriver(keyOf: (name: string) => KeyField | undefined): (expression: Expression) => Wish {
  const whenTrue = remembering((expression: Expression): Wish => {
    switch (expression.kind) {
      case "constant":
        return expression.value ? everything() : NOTHING;
      case "not":
        return whenFalse(expression.part);
      case "and":
        return expression.parts.map(whenTrue).reduce(meet);
      case "or":
      case "exactly-one":
        return expression.parts.map(whenTrue).reduce(join, NOTHING);
      case "test":
        return wishOfTest(expression, keyOf);
    }
  });
  const whenFalse = remembering((expression: Expression): Wish => {
    switch (expression.kind) {
      case "constant":
        return expression.value ? NOTHING : everything();
      case "not":
        return whenTrue(expression.part);
      case "and":
        return expression.parts.map(whenFalse).reduce(join, NOTHING);
      case "or":
        return expression.parts.map(whenFalse).reduce(meet);
      // None of the parts, or two: that can be anywhere.
      case "exactly-one":
        return everything();
      case "test":
        return wishOfFalseTest(expression, keyOf);
    }
  });
  return whenTrue;
}

function keyOfTest({ left }: Test, keyOf: (name: string) => KeyField | undefined): KeyField | undefined {
  return left.kind === "field" && left.argument === undefined ? keyOf(left.field.name) : undefined;
}

/** A test as a person wrote it, macros put in. */
function textOf({ left, source, test }: Test): string {
  return test === "exists" ? `${termName(left)} exists` : `${termName(left)} ${source}`;
}

function namesKey(test: Test, keyOf: (name: string) => KeyField | undefined): boolean {
  const terms = [test.left, ...(test.right ? [test.right] : [])];
  for (const term of terms) {
    if (term.kind === "field" && keyOf(term.field.name)) return true;
    if (term.kind === "call" || term.kind === "list") terms.push(...term.terms);
  }
  return false;
}

function wishOfTest(test: Test, keyOf: (name: string) => KeyField | undefined): Wish {
  const field = keyOfTest(test, keyOf);
  const set = field && !test.right ? setsOf(test, field) : undefined;
  if (set) return set;
  return everything(namesKey(test, keyOf) ? [textOf(test)] : []);
}

function setsOf(test: Test, field: KeyField): Wish | undefined {
  if (test.several && field.key !== "any_port") return undefined;
  if (field.key === "path") {
    const patterns = patternsOf(test, field.part);
    return patterns && wishFor("path", { kind: "paths", patterns });
  }
  if (field.key === "command") {
    const names = commandsOf(test);
    return names && wishFor("command", { kind: "names", names });
  }
  const ports = portsOf(test);
  if (!ports) return undefined;
  if (field.key !== "any_port") return wishFor(field.key, ports);
  // One of both ends is enough; what holds where both differ says nothing about one of them.
  if (ports.except) return undefined;
  return join(wishFor("remote_port", ports), wishFor("local_port", ports));
}

/** The other way round: of a set of ports all others, and those that are missing. */
function wishOfFalseTest(test: Test, keyOf: (name: string) => KeyField | undefined): Wish {
  const field = keyOfTest(test, keyOf);
  const isOnePort = field?.key === "remote_port" || field?.key === "local_port";
  const ports = isOnePort && !test.right && !test.several ? portsOf(test) : undefined;
  if (isOnePort && ports) return wishFor(field.key, { ...ports, except: !ports.except });
  return everything(namesKey(test, keyOf) ? [`not ${textOf(test)}`] : []);
}

const utf8 = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The kernel cuts names off: a longer one that a rule names can still be looked up by what would be left of it. */
function commandsOf(test: Test): ReadonlySet<string> | undefined {
  if (test.test !== "equals" && test.test !== "in") return undefined;
  const { values } = readSource(test.source);
  if (values.some((value) => value === "" || hasNoBytes(value))) return undefined;
  const cut = values.map((value) => decoder.decode(utf8.encode(value).subarray(0, COMMAND_BYTES_MAX)));
  return cut.some(hasNoBytes) ? undefined : new Set(cut);
}

/** A port that an end does not have is in none of them, unless they are given by what is not. */
function portsOf({ test, operand }: Test): (KeySet & { kind: "ports" }) | undefined {
  const some = (ports: Iterable<unknown>): KeySet & { kind: "ports" } => ({
    kind: "ports",
    ports: new Set([...ports].map(Number).filter((port) => port >= 0 && port <= PORT_MAX)),
    except: false,
  });
  const range = (least: number, most: number) => {
    const first = Math.max(0, Math.ceil(least));
    const last = Math.min(PORT_MAX, Math.floor(most));
    if (last - first >= PORT_RANGE_MAX) return undefined;
    return some(Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at));
  };
  if (test === "equals") return some([operand]);
  if (test === "in") return some(operand as Set<unknown>);
  if (test === "differs") return { kind: "ports", ports: new Set([Number(operand), NO_PORT]), except: true };
  const bound = Number(operand);
  if (test === "less") return range(0, bound - 1);
  if (test === "less-or-equal") return range(0, bound);
  if (test === "greater") return range(bound + 1, PORT_MAX);
  return test === "greater-or-equal" ? range(bound, PORT_MAX) : undefined;
}
