// Makes the output of a rule's detections, which Sigma does not write down: its title, and the fields it looks at.
import type { Format } from "../engine/format.ts";
import type { Term } from "../language/expression.ts";
import type { SigmaRule } from "./read.ts";
import type { Detection, Item } from "./value.ts";
import type { View } from "./view.ts";

/** What says most of any event, where it has them. */
const USUAL_FIELDS = ["Image", "CommandLine", "User", "ProcessId"];
/** The others are in the event, which the detection carries too. */
const FIELDS_MAX = 16;

/** "Title (Image=/bin/sh CommandLine=…)", as text with names and taken apart. */
export function outputOf(rule: SigmaRule, views: readonly View[]): { output: string; format: Format } {
  const names = new Set(USUAL_FIELDS);
  for (const name of [...namedFields([rule]), ...rule.fields]) names.add(name);
  const found: [string, Term][] = [];
  for (const name of names) {
    const term = views.map((view) => view.field(name)).find((each) => each !== undefined && each.kind !== "text");
    if (term && found.length < FIELDS_MAX) found.push([name, term]);
  }
  const { title } = rule;
  if (found.length === 0) return { output: title, format: [title] };
  const pieces = found.flatMap(([name, term], at) => [`${at === 0 ? `${title} (` : " "}${name}=`, { term }]);
  return {
    output: `${title} (${found.map(([name]) => `${name}=%${name}`).join(" ")})`,
    format: [...pieces, ")"],
  };
}

/** Every line of documents. */
export function itemsOf(documents: readonly Pick<SigmaRule, "detections">[]): Item[] {
  const items = (detection: Detection): Item[] =>
    detection.kind === "item" ? [detection] : detection.parts.flatMap(items);
  return documents.flatMap(({ detections }) => [...detections.values()].flatMap(items));
}

/** Every field that documents name. */
export function namedFields(documents: readonly Pick<SigmaRule, "detections">[]): Set<string> {
  return new Set(itemsOf(documents).flatMap(({ field }) => field ?? []));
}
