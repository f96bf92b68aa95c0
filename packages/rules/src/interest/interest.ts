// The interest of a set of rules: what the kernel has to report for them, and which rule made it so.
import { create } from "@bufbuild/protobuf";
import { pathName } from "@nightjar/events";
import { type Interest, InterestSchema, type TypeInterest, TypeInterestSchema } from "@nightjar/proto";
import { rulesByType } from "../engine/possible-types.ts";
import type { Rule } from "../files/load.ts";
import type { Costly } from "./costly.ts";
import { type TypeWish, wishOfType } from "./derive.ts";
import type { KeySet, Wish } from "./wish.ts";

/** What the enabled rules want of each event type that at least one can be true of, in the order of the types' ids. */
export function wishesOf(rules: readonly Rule[]): TypeWish[] {
  return [...rulesByType(rules.filter((rule) => rule.enabled))].flatMap(([id, possible]) => {
    const wish = wishOfType(id, possible);
    return wish.classes.size > 0 ? [wish] : [];
  });
}

/** The same as the message that goes to INTEREST, with what is wanted beside events. */
export function interestOf(
  wishes: readonly TypeWish[],
  stage: string,
  contentVersion: string,
  costly: Partial<Costly> = {},
): Interest {
  return create(InterestSchema, {
    stage,
    contentVersion,
    ...costly,
    eventTypes: wishes.map(({ eventType }) => eventType),
    types: wishes.map(typeInterest),
  });
}

function typeInterest({ eventType, classes }: TypeWish): TypeInterest {
  return create(TypeInterestSchema, {
    eventType,
    everything: maskOf(classes, (wish) => "everything" in wish),
    paths: entriesOf(classes, "path", (set) =>
      set.kind === "paths" ? set.patterns.map((pattern) => [pathName(pattern), pattern] as const) : [],
    ),
    commands: entriesOf(classes, "command", (set) =>
      set.kind === "names" ? [...set.names].map((name) => [name, { name }] as const) : [],
    ),
    remotePorts: portsOf(classes, "remote_port"),
    localPorts: portsOf(classes, "local_port"),
    otherRemotePorts: maskOf(classes, (wish) => isExcept(setOf(wish, "remote_port"))),
    otherLocalPorts: maskOf(classes, (wish) => isExcept(setOf(wish, "local_port"))),
  });
}

type Classes = TypeWish["classes"];

function maskOf(classes: Classes, test: (wish: Wish) => boolean): number {
  return [...classes].reduce((mask, [number, wish]) => (test(wish) ? mask | (1 << number) : mask), 0);
}

function setOf(wish: Wish, key: string): KeySet | undefined {
  return "keys" in wish ? wish.keys.get(key) : undefined;
}

function isExcept(set: KeySet | undefined): boolean {
  return set?.kind === "ports" && set.except;
}

function entriesOf<T extends object>(
  classes: Classes,
  key: string,
  entries: (set: KeySet) => readonly (readonly [name: string, entry: T])[],
): (T & { classes: number })[] {
  const found = new Map<string, T & { classes: number }>();
  for (const [number, wish] of classes) {
    const set = setOf(wish, key);
    for (const [name, entry] of set ? entries(set) : []) {
      const mask = (found.get(name)?.classes ?? 0) | (1 << number);
      found.set(name, { ...entry, classes: mask });
    }
  }
  return [...found.values()];
}

/** Every port that some class lists, with the classes that want it. */
function portsOf(classes: Classes, key: string): { port: number; classes: number }[] {
  const sets = [...classes.values()].map((wish) => setOf(wish, key)).filter((set) => set?.kind === "ports");
  const ports = new Set(sets.flatMap((set) => (set?.kind === "ports" ? [...set.ports] : [])));
  return [...ports].map((port) => ({
    port,
    classes: maskOf(classes, (wish) => {
      const set = setOf(wish, key);
      return set?.kind === "ports" && set.ports.has(port) !== set.except;
    }),
  }));
}
