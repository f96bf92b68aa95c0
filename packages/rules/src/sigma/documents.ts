// Tells Sigma's documents by their shape, puts together those that build on one another, and names what each is.
import type { MappingValue, Value } from "../files/yaml.ts";
import type { Place } from "../problem.ts";

/** A document of Sigma: a rule, a correlation of rules, a filter of rules, or a pipeline that changes rules. */
export interface SigmaDocument {
  kind: "rule" | "correlation" | "filter" | "pipeline";
  mapping: MappingValue;
}

/**
 * A document with the key `correlation`, as it stands: what it means is for packages/rules/src/correlation to say. The
 * rules it names are found by `ruleNamed`.
 */
export interface CorrelationDocument {
  mapping: MappingValue;
  place: Place;
}

/** Keys of which a mapping must have one to be Sigma's; nothing of Falco's has any of them at its top. */
const MARKS = ["detection", "correlation", "filter", "logsource", "action", "transformations"];

/** Whether a document is Sigma's: a mapping with one of its keys. Falco's files are sequences. */
export function isSigma(document: Value): document is MappingValue {
  return document.kind === "mapping" && MARKS.some((key) => document.entries.has(key));
}

/**
 * The documents of one file with `action` put into effect, as before version 2.0: `global` is part of all that follow,
 * `repeat` of the one before it, and `reset` ends both.
 */
export function withActions(documents: readonly MappingValue[]): SigmaDocument[] {
  const found: SigmaDocument[] = [];
  let shared: MappingValue | undefined;
  let previous: MappingValue | undefined;
  for (const document of documents) {
    const action = document.entries.get("action")?.value;
    const word = action?.kind === "text" ? action.text : undefined;
    const own = without(document, "action");
    if (word === "global") shared = merged(shared, own);
    else if (word === "reset") shared = undefined;
    else {
      const mapping = merged(word === "repeat" ? previous : shared, own);
      previous = mapping;
      found.push({ kind: kindOf(mapping), mapping });
    }
  }
  return found;
}

function kindOf({ entries }: MappingValue): SigmaDocument["kind"] {
  if (entries.has("transformations")) return "pipeline";
  if (entries.has("correlation")) return "correlation";
  return entries.has("filter") ? "filter" : "rule";
}

function without(mapping: MappingValue, key: string): MappingValue {
  if (!mapping.entries.has(key)) return mapping;
  return { ...mapping, entries: new Map([...mapping.entries].filter(([name]) => name !== key)) };
}

/** Mappings are put into one another, key by key; of anything else the later one counts. */
function merged(base: MappingValue | undefined, own: MappingValue): MappingValue {
  if (!base) return own;
  const entries = new Map(base.entries);
  for (const [name, entry] of own.entries) {
    const earlier = entries.get(name)?.value;
    const both = earlier?.kind === "mapping" && entry.value.kind === "mapping";
    entries.set(name, both ? { key: entry.key, value: merged(earlier, entry.value as MappingValue) } : entry);
  }
  return { ...own, entries };
}
