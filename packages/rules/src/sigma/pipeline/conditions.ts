// The conditions of pipelines, as rows of tables: of rules, of lines of detections, of names of fields.
import { RE2JS, RE2JSException } from "re2js";
import { itemsOf } from "../output.ts";
import { writePattern } from "../text.ts";
import type { SigmaValue } from "../value.ts";
import type { Parameters } from "./document.ts";
import type { FieldCondition, ItemCondition, RuleCondition, State } from "./pipeline.ts";

type Table<C> = ReadonlyMap<string, (parameters: Parameters) => C>;

/** A regular expression as pipelines have them. */
export function expressionOf(parameters: Parameters, written: string): RE2JS {
  try {
    return RE2JS.compile(written);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return parameters.fail(`invalid regex '${written}': ${error.message}`);
  }
}

/** A value as it would be written. */
export function writtenValue(value: SigmaValue): string | undefined {
  if (value.kind === "string") return writePattern(value.pattern);
  if (value.kind === "number") return value.text;
  return value.kind === "boolean" ? String(value.value) : undefined;
}

const LOGSOURCE_KEYS = ["category", "product", "service"] as const;

const logsource = (parameters: Parameters): RuleCondition => {
  const wanted = LOGSOURCE_KEYS.flatMap((key) => {
    const value = parameters.optional(key)?.toLowerCase();
    return value === undefined ? [] : [[key, value] as const];
  });
  return (rule) => wanted.every(([key, value]) => rule.logsource?.[key] === value);
};

/** Whether something that an earlier item left is so: `processing_state` and `processing_item_applied`. */
const stateKeys = {
  processing_state: (parameters: Parameters) => {
    const [key, value] = [parameters.text("key"), parameters.text("val")];
    return (_: unknown, state: State) => state.values.get(key) === value;
  },
  processing_item_applied: (parameters: Parameters) => {
    const id = parameters.text("processing_item_id");
    return (_: unknown, state: State) => state.applied.has(id);
  },
};

const containsItem = (parameters: Parameters): RuleCondition => {
  const [field, value] = [parameters.text("field"), parameters.text("value")];
  return (rule) =>
    itemsOf([rule]).some(
      (item) => item.field === field && item.values.some((each) => writtenValue(each.value) === value),
    );
};

const containsField = (parameters: Parameters): RuleCondition => {
  const field = parameters.text("field");
  return (rule) => itemsOf([rule]).some((item) => item.field === field);
};

const tag = (parameters: Parameters): RuleCondition => {
  const wanted = parameters.text("tag");
  return (rule) => rule.tags.includes(wanted);
};

const ATTRIBUTES = ["title", "id", "level", "status", "description"] as const;

const attribute = (parameters: Parameters): RuleCondition => {
  const name = ATTRIBUTES.find((each) => each === parameters.text("attribute"));
  const operator = parameters.optional("op") ?? "eq";
  if (!name) return parameters.fail(`the attribute '${parameters.text("attribute")}' is not served`);
  if (operator !== "eq" && operator !== "ne") return parameters.fail(`the operator '${operator}' is not served`);
  const value = parameters.text("value");
  return (rule) => (rule[name] === value) === (operator === "eq");
};

export const ruleConditions: Table<RuleCondition> = new Map<string, (parameters: Parameters) => RuleCondition>([
  ["logsource", logsource],
  ["contains_detection_item", containsItem],
  // The name it had in pySigma's first versions.
  ["rule_contains_detection_item", containsItem],
  ["contains_field", containsField],
  ["is_sigma_rule", () => () => true],
  ["is_sigma_correlation_rule", () => () => false],
  ["rule_attribute", attribute],
  ["tag", tag],
  ["processing_state", stateKeys.processing_state],
  ["processing_item_applied", stateKeys.processing_item_applied],
]);

/** Whether one of a line's values, or each of them, is so. */
function ofValues(parameters: Parameters, holds: (value: SigmaValue) => boolean): ItemCondition {
  const each = parameters.optional("cond") === "all";
  return ({ values }) => (each ? values.every(({ value }) => holds(value)) : values.some(({ value }) => holds(value)));
}

export const itemConditions: Table<ItemCondition> = new Map<string, (parameters: Parameters) => ItemCondition>([
  [
    "match_string",
    (parameters) => {
      const expression = expressionOf(parameters, parameters.text("pattern"));
      const negated = parameters.flag("negate");
      const fits = (value: SigmaValue): boolean => {
        return value.kind === "string" && expression.matcher(writePattern(value.pattern)).lookingAt();
      };
      return ofValues(parameters, (value) => fits(value) !== negated);
    },
  ],
  [
    "match_value",
    (parameters) => {
      const wanted = parameters.text("value");
      return ofValues(parameters, (value) => writtenValue(value) === wanted);
    },
  ],
  [
    "contains_wildcard",
    (parameters) =>
      ofValues(parameters, (value) => {
        return value.kind === "string" && value.pattern.some((part) => "wildcard" in part);
      }),
  ],
  ["is_null", (parameters) => ofValues(parameters, ({ kind }) => kind === "null")],
  ["processing_state", stateKeys.processing_state],
  ["processing_item_applied", stateKeys.processing_item_applied],
]);

function namesField(parameters: Parameters): (field: string | undefined) => boolean {
  const fields = parameters.texts("fields");
  if (parameters.optional("mode") === "re") {
    const expressions = fields.map((field) => expressionOf(parameters, field));
    return (field) => field !== undefined && expressions.some((each) => each.matcher(field).lookingAt());
  }
  return (field) => field !== undefined && fields.includes(field);
}

export const fieldConditions: Table<FieldCondition> = new Map<string, (parameters: Parameters) => FieldCondition>([
  ["include_fields", namesField],
  [
    "exclude_fields",
    (parameters) => {
      const names = namesField(parameters);
      return (field) => !names(field);
    },
  ],
  ["processing_state", stateKeys.processing_state],
  ["processing_item_applied", stateKeys.processing_item_applied],
]);
