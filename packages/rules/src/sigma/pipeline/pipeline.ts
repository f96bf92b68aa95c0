// Processing pipelines: what they are made of, and how they change a rule before it is lowered.

import { fail } from "../../files/decode.ts";
import type { Place } from "../../problem.ts";
import type { SigmaFilter, SigmaRule } from "../read.ts";
import type { Detection, Item } from "../value.ts";

export interface Pipeline {
  name: string;
  /** The lower one comes first. */
  priority: number;
  /** What placeholders stand for. */
  variables: ReadonlyMap<string, readonly string[]>;
  items: readonly PipelineItem[];
}

/** What earlier items of a pipeline left behind for later ones, about one rule. */
export interface State {
  variables: ReadonlyMap<string, readonly string[]>;
  values: Map<string, string>;
  /** Ids of the items that were applied. */
  applied: Set<string>;
}

export type RuleCondition = (rule: SigmaRule, state: State) => boolean;
export type ItemCondition = (item: Item, state: State) => boolean;
export type FieldCondition = (field: string | undefined, state: State) => boolean;

export type Transformation =
  /** Changes a line of a detection: to another one, several, or none. */
  | { kind: "item"; apply: (item: Item, state: State) => Detection | undefined }
  | { kind: "rule"; apply: (rule: SigmaRule, state: State) => SigmaRule }
  /** Refuses the rule, or one with a line that fits. */
  | { kind: "failure"; of: "rule" | "item"; message: string }
  | { kind: "nest"; items: readonly PipelineItem[] };

export interface PipelineItem {
  id?: string;
  type: string;
  ofRule: RuleCondition;
  ofItem: ItemCondition;
  ofField: FieldCondition;
  transformation: Transformation;
}

/** The rule as the pipelines have it, one behind the other. Throws an ItemError where one refuses it. */
export function processed(rule: SigmaRule, pipelines: readonly Pipeline[]): SigmaRule {
  return pipelines.reduce((changed, { items, variables }) => {
    return runItems(changed, items, { variables, values: new Map(), applied: new Set() });
  }, rule);
}

/** A filter's detections change as those of the rule it is for; its conditions stay. */
export function processedFilter(filter: SigmaFilter, rule: SigmaRule, pipelines: readonly Pipeline[]): SigmaFilter {
  if (pipelines.length === 0) return filter;
  const { detections } = processed({ ...rule, detections: filter.detections }, pipelines);
  return { ...filter, detections: new Map([...detections].filter(([name]) => filter.detections.has(name))) };
}

function runItems(rule: SigmaRule, items: readonly PipelineItem[], state: State): SigmaRule {
  let changed = rule;
  for (const item of items) {
    if (!item.ofRule(changed, state)) continue;
    changed = runItem(changed, item, state);
    if (item.id !== undefined) state.applied.add(item.id);
  }
  return changed;
}

function runItem(rule: SigmaRule, item: PipelineItem, state: State): SigmaRule {
  const { transformation } = item;
  if (transformation.kind === "nest") return runItems(rule, transformation.items, state);
  if (transformation.kind === "rule") return transformation.apply(rule, state);
  const refuse = (place: Place, message: string): never => fail("SIGMA_RULE_FAILURE", message, place, rule.item);
  if (transformation.kind === "failure" && transformation.of === "rule") {
    return refuse(rule.place, transformation.message);
  }
  const ofLine = (line: Item): Detection | undefined => {
    if (!item.ofItem(line, state) || !item.ofField(line.field, state)) return line;
    return transformation.kind === "failure"
      ? refuse(line.place, transformation.message)
      : transformation.apply(line, state);
  };
  const detections = new Map<string, Detection>();
  for (const [name, detection] of rule.detections) {
    // A detection of which nothing is left holds of every event, as an `all` of nothing does.
    detections.set(name, mapItems(detection, ofLine) ?? { kind: "all", parts: [], place: detection.place });
  }
  return { ...rule, detections };
}

function mapItems(detection: Detection, change: (item: Item) => Detection | undefined): Detection | undefined {
  if (detection.kind === "item") return change(detection);
  const parts = detection.parts.flatMap((part) => mapItems(part, change) ?? []);
  return parts.length > 0 ? { ...detection, parts } : undefined;
}
