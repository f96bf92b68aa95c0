// What a condition can be true of, told by a few keys: the domain in which conditions are approximated from above.
import { pathName } from "@nightjar/events";
import { meetPaths, type PathPattern } from "./path-pattern.ts";

/** Paths, command names or ports; `except` turns ports around: all but these. */
export type KeySet =
  | { kind: "paths"; patterns: readonly PathPattern[] }
  | { kind: "names"; names: ReadonlySet<string> }
  | { kind: "ports"; ports: ReadonlySet<number>; except: boolean };

/**
 * Admits an event when one of its keys is in the set of that key, e.g. its path or its command. `everything` admits all
 * and says why: the conditions on keys that could not be narrowed, none where there is no condition on a key at all.
 */
export type Wish = { everything: readonly string[] } | { keys: ReadonlyMap<string, KeySet> };

export const NOTHING: Wish = { keys: new Map() };

/** Of more patterns than this a meeting of two sets is not worked out; the smaller of the two stands for it. */
const MEETING_PATTERNS_MAX = 4096;
/** A set of ports that is given by what is not in it counts as this large. */
const EXCEPT_SIZE = 65_536;

export function everything(reasons: readonly string[] = []): Wish {
  return { everything: reasons };
}

export function wishFor(key: string, set: KeySet): Wish {
  return { keys: new Map([[key, set]]) };
}

export function isNothing(wish: Wish): boolean {
  return "keys" in wish && [...wish.keys.values()].every((set) => sizeOf(set) === 0);
}

/** What either admits. */
export function join(left: Wish, right: Wish): Wish {
  if ("everything" in left) return "everything" in right ? everything(unique(left, right)) : left;
  if ("everything" in right) return right;
  const keys = new Map(left.keys);
  for (const [key, set] of right.keys) {
    const before = keys.get(key);
    keys.set(key, before ? joinSets(before, set) : set);
  }
  return { keys };
}

/** At least what both admit: of sets of different keys the smaller, since an event has to be in both. */
export function meet(left: Wish, right: Wish): Wish {
  if ("everything" in left) return "everything" in right ? everything(unique(left, right)) : right;
  if ("everything" in right) return left;
  const [[leftKey, leftSet] = [], ...leftRest] = [...left.keys];
  const [[rightKey, rightSet] = [], ...rightRest] = [...right.keys];
  const comparable = leftRest.length + rightRest.length === 0 && leftKey !== undefined && leftKey === rightKey;
  const met = comparable && leftSet && rightSet ? meetSets(leftSet, rightSet) : undefined;
  if (met) return wishFor(leftKey as string, met);
  return sizeOfWish(left) <= sizeOfWish(right) ? left : right;
}

function unique(...wishes: { everything: readonly string[] }[]): string[] {
  return [...new Set(wishes.flatMap((wish) => wish.everything))];
}

function joinSets(left: KeySet, right: KeySet): KeySet {
  if (left.kind === "paths" && right.kind === "paths") {
    const named = new Map([...left.patterns, ...right.patterns].map((pattern) => [pathName(pattern), pattern]));
    return { kind: "paths", patterns: [...named.values()] };
  }
  if (left.kind === "names" && right.kind === "names")
    return { kind: "names", names: new Set([...left.names, ...right.names]) };
  if (left.kind === "ports" && right.kind === "ports") return invert(meetPorts(invert(left), invert(right)));
  throw new Error(`${left.kind} cannot be joined with ${right.kind}`);
}

/** Undefined where it would be too large to work out. */
function meetSets(left: KeySet, right: KeySet): KeySet | undefined {
  if (left.kind === "paths" && right.kind === "paths") {
    if (left.patterns.length * right.patterns.length > MEETING_PATTERNS_MAX) return undefined;
    const met = left.patterns.flatMap((one) => right.patterns.map((other) => meetPaths(one, other)));
    return { kind: "paths", patterns: met.filter((pattern) => pattern !== undefined) };
  }
  if (left.kind === "names" && right.kind === "names")
    return { kind: "names", names: new Set([...left.names].filter((name) => right.names.has(name))) };
  if (left.kind === "ports" && right.kind === "ports") return meetPorts(left, right);
  throw new Error(`${left.kind} cannot meet ${right.kind}`);
}

type Ports = KeySet & { kind: "ports" };

function invert(set: Ports): Ports {
  return { ...set, except: !set.except };
}

function meetPorts(left: Ports, right: Ports): Ports {
  if (left.except && right.except)
    return { kind: "ports", ports: new Set([...left.ports, ...right.ports]), except: true };
  const [finite, other] = left.except ? [right, left] : [left, right];
  const ports = new Set([...finite.ports].filter((port) => other.ports.has(port) !== other.except));
  return { kind: "ports", ports, except: false };
}

function sizeOf(set: KeySet): number {
  if (set.kind === "paths") return set.patterns.length;
  if (set.kind === "names") return set.names.size;
  return set.except ? EXCEPT_SIZE : set.ports.size;
}

function sizeOfWish(wish: { keys: ReadonlyMap<string, KeySet> }): number {
  return [...wish.keys.values()].reduce((sum, set) => sum + sizeOf(set), 0);
}
