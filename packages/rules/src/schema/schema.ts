// JSON schemas (draft 2020-12) of rules files and of their tests, for editors; made of the tables the readers go by.
import { PrioritySchema, wordsOf } from "@nightjar/proto";
import { TEST_FILE_KEYS } from "../brief/test-file.ts";
import {
  APPEND_OUTPUT_KEYS,
  APPEND_OUTPUT_MATCH_KEYS,
  APPENDABLE,
  EXCEPTION_KEYS,
  ITEM_KEYS,
  type KeyKind,
  NEEDS_KEYS,
  OUTPUT_KEYS,
  REPLACEABLE,
} from "../files/keys.ts";
import { SIGMA_SCHEMA } from "./sigma.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** YAML gives numbers and booleans where a text is meant; the readers take them as they are written. */
const TEXT: JsonSchema = { type: ["string", "number", "boolean"] };
const TEXTS: JsonSchema = { type: "array", items: TEXT };
const ENTRY: JsonSchema = { anyOf: [TEXT, { type: "array", items: { anyOf: [TEXT, TEXTS] } }] };

const PRIORITIES = [...wordsOf(PrioritySchema).values()].flatMap((word) => {
  const capital = `${word[0]}${word.slice(1).toLowerCase()}`;
  return [word, capital, word.toLowerCase()];
});

const EXCEPTION: JsonSchema = {
  type: "object",
  required: ["name"],
  properties: {
    name: { ...TEXT, description: EXCEPTION_KEYS.name },
    fields: { ...ENTRY, description: EXCEPTION_KEYS.fields },
    comps: { ...ENTRY, description: EXCEPTION_KEYS.comps },
    values: { type: "array", items: ENTRY, description: EXCEPTION_KEYS.values },
  },
};

const described = (schemas: Readonly<Record<string, JsonSchema>>, says: Readonly<Record<string, string>>): JsonSchema =>
  Object.fromEntries(Object.entries(schemas).map(([key, schema]) => [key, { ...schema, description: says[key] }]));

const APPENDED_TO: JsonSchema = {
  type: "object",
  properties: described({ source: TEXT, tags: TEXTS, rule: TEXT }, APPEND_OUTPUT_MATCH_KEYS),
  additionalProperties: false,
};
const APPENDED: JsonSchema = {
  type: "object",
  properties: described(
    {
      match: APPENDED_TO,
      extra_output: TEXT,
      extra_fields: { type: "array", items: { anyOf: [TEXT, { type: "object", additionalProperties: TEXT }] } },
      suggested_output: { type: "boolean" },
    },
    APPEND_OUTPUT_KEYS,
  ),
  additionalProperties: false,
};

const KINDS: Readonly<Record<KeyKind, JsonSchema>> = {
  text: TEXT,
  texts: TEXTS,
  boolean: { type: "boolean" },
  priority: { enum: [...PRIORITIES, "INFO", "Info", "info"] },
  source: TEXT,
  exceptions: { type: ["array", "null"], items: EXCEPTION },
  "append-or-replace": {
    type: "object",
    propertyNames: { enum: [...new Set([...APPENDABLE, ...REPLACEABLE, "items"])] },
    additionalProperties: { enum: ["append", "replace"] },
  },
  duration: { type: "integer" },
  version: { type: ["integer", "string"] },
  "append-output": { type: "array", items: APPENDED },
  "static-fields": { type: "object", additionalProperties: TEXT },
  plugins: { type: "array", items: { type: "object", required: ["name", "version"] } },
};

type Table = Readonly<Record<string, readonly [kind: KeyKind, says: string]>>;

/** An item whose first key names it. Keys that are not known are warned of by the loader, so an editor marks them. */
function itemOf(keys: Table, first: string): JsonSchema {
  const properties = Object.entries(keys).map(([key, [kind, says]]) => [key, { ...KINDS[kind], description: says }]);
  return {
    type: "object",
    required: [first],
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}

/** Of files with Falco's items, or documents of Sigma's. */
export const RULES_SCHEMA: JsonSchema = {
  $schema: DIALECT,
  title: "Rules for Nightjar, in Falco's language or Sigma's",
  if: { type: "array" },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
  then: {
    type: "array",
    items: {
      type: "object",
      anyOf: [
        ...Object.entries(ITEM_KEYS).map(([type, keys]) => itemOf(keys, type)),
        ...Object.entries({ ...NEEDS_KEYS, ...OUTPUT_KEYS }).map(([key, row]) => itemOf({ [key]: row }, key)),
      ],
    },
  },
  else: SIGMA_SCHEMA,
};

const NAMES: JsonSchema = { anyOf: [TEXT, TEXTS] };
const FIELDS: JsonSchema = { type: "object", additionalProperties: { anyOf: [TEXT, TEXTS] } };
const PROCESS: JsonSchema = { anyOf: [{ type: "string" }, TEXTS, FIELDS] };
const PROCESSES: JsonSchema = { type: "array", items: PROCESS };

const EVENT: JsonSchema = {
  type: "object",
  properties: described(
    { type: { type: "string" }, process: PROCESS, ancestors: PROCESSES, after: { type: "string" } },
    TEST_FILE_KEYS.event,
  ),
  additionalProperties: { anyOf: [TEXT, TEXTS] },
};

const TEST: JsonSchema = {
  type: "object",
  required: ["test", "match"],
  oneOf: [{ required: ["event"] }, { required: ["events"] }, { required: ["recording"] }],
  properties: described(
    {
      test: TEXT,
      event: EVENT,
      events: { type: "array", items: EVENT },
      process: PROCESS,
      ancestors: PROCESSES,
      recording: { type: "string" },
      match: NAMES,
      no_match: NAMES,
    },
    TEST_FILE_KEYS.test,
  ),
  additionalProperties: false,
};

/** Of files with tests of rules. */
export const TESTS_SCHEMA: JsonSchema = {
  $schema: DIALECT,
  title: "Tests of rules for Nightjar",
  type: "object",
  required: ["tests"],
  properties: described({ rules: NAMES, tests: { type: "array", items: TEST } }, TEST_FILE_KEYS.file),
  additionalProperties: false,
};
