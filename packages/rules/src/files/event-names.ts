// Which event types a condition can be true of, as Falco works it out: only to warn of rules that look at too many.
import type { Node } from "../language/ast.ts";

/** A set of names, or all names but those. */
interface Names {
  except: boolean;
  names: ReadonlySet<string>;
}

const ALL: Names = { except: true, names: new Set() };

/** Falco warns of a rule above this many event types. */
const EVENT_TYPES_MAX = 100;

/** Whether a condition does not limit the event types it can be true of. */
export function matchesTooManyEvents(node: Node, macro: (name: string) => Node | undefined): boolean {
  const { except, names } = namesOf(node, macro, new Map());
  return except || names.size > EVENT_TYPES_MAX;
}

function namesOf(node: Node, macro: (name: string) => Node | undefined, known: Map<Node, Names>): Names {
  const done = known.get(node);
  if (done) return done;
  const names = compute(node, macro, (child) => namesOf(child, macro, known));
  known.set(node, names);
  return names;
}

function compute(node: Node, macro: (name: string) => Node | undefined, inner: (child: Node) => Names): Names {
  switch (node.kind) {
    case "and":
      return node.children.map(inner).reduce(intersect);
    case "or":
      return complement(node.children.map((child) => complement(inner(child))).reduce(intersect));
    case "not":
      return negated(node.child, inner);
    case "check":
      return ofCheck(node);
    case "macro": {
      const body = macro(node.name);
      return body ? inner(body) : ALL;
    }
  }
}

/** "not" turns a set around only where it is about event types alone; anything else may be true of all. */
function negated(child: Node, inner: (child: Node) => Names): Names {
  return aboutEventTypes(child) ? complement(inner(child)) : ALL;
}

function aboutEventTypes(node: Node): boolean {
  if (node.kind === "check") return node.left.kind === "field" && node.left.name === "evt.type";
  if (node.kind === "not") return aboutEventTypes(node.child);
  return node.kind !== "macro" && node.children.every(aboutEventTypes);
}

/** The way rules write "never": no event has this number. */
const NEVER = { field: "evt.num", value: "0" };

function ofCheck(node: Node & { kind: "check" }): Names {
  if (isNever(node)) return { except: false, names: new Set() };
  if (node.left.kind !== "field" || node.left.name !== "evt.type") return ALL;
  const { right, operator } = node;
  const values =
    right.kind === "value" ? [right.value] : right.kind === "values" ? right.values.map(({ value }) => value) : [];
  if (["=", "==", "in", "intersects"].includes(operator)) return { except: false, names: new Set(values) };
  return operator === "!=" ? { except: true, names: new Set(values) } : ALL;
}

function isNever({ left, operator, right }: Node & { kind: "check" }): boolean {
  const named = left.kind === "field" && left.name === NEVER.field && ["=", "=="].includes(operator);
  return named && right.kind === "value" && right.value === NEVER.value;
}

function complement({ except, names }: Names): Names {
  return { except: !except, names };
}

function intersect(a: Names, b: Names): Names {
  if (a.except && b.except) return { except: true, names: new Set([...a.names, ...b.names]) };
  const [listed, other] = a.except ? [b, a] : [a, b];
  return { except: false, names: new Set([...listed.names].filter((name) => other.names.has(name) !== other.except)) };
}
