// What an editor is told of Sigma's documents, by version 2.1 of the specification; other keys are allowed there.
import { TYPES } from "../correlation/words.ts";

const TEXT = { type: "string" } as const;
const TEXTS = { type: "array", items: TEXT } as const;
const TEXT_OR_TEXTS = { anyOf: [TEXT, TEXTS] } as const;

const LOGSOURCE = {
  type: "object",
  description: "Which events the rule is for.",
  properties: { category: TEXT, product: TEXT, service: TEXT, definition: TEXT },
} as const;

const DETECTION = {
  type: "object",
  description: "Detections by name, and the condition that puts them together.",
  required: ["condition"],
  properties: { condition: TEXT_OR_TEXTS },
  additionalProperties: { anyOf: [{ type: "object" }, { type: "array" }, TEXT, { type: "number" }] },
} as const;

const CORRELATION = {
  type: "object",
  description: "What must come together, and within which time.",
  required: ["type", "rules"],
  properties: {
    type: { enum: TYPES },
    rules: TEXT_OR_TEXTS,
    "group-by": TEXT_OR_TEXTS,
    timespan: { type: "string", pattern: "^[0-9]+[smhdwMy]$" },
    generate: { type: "boolean" },
    aliases: { type: "object" },
    condition: { anyOf: [{ type: "object" }, TEXT] },
  },
} as const;

const FILTER = {
  type: "object",
  description: "Detections that the rules named here must fit too.",
  required: ["rules", "condition"],
  properties: { rules: TEXT_OR_TEXTS, condition: TEXT_OR_TEXTS },
} as const;

const LEVELS = ["informational", "low", "medium", "high", "critical"] as const;
const STATUSES = ["stable", "test", "experimental", "deprecated", "unsupported"] as const;

/** One document: a rule, a correlation of rules, or a filter. */
export const SIGMA_SCHEMA = {
  type: "object",
  required: ["title"],
  anyOf: [{ required: ["detection", "logsource"] }, { required: ["correlation"] }, { required: ["filter"] }],
  properties: {
    title: { ...TEXT, maxLength: 256, description: "The rule's name." },
    id: { ...TEXT, description: "A UUID that stays." },
    name: { ...TEXT, description: "By which correlations and filters may name it." },
    status: { enum: STATUSES },
    description: TEXT,
    references: TEXTS,
    author: TEXT,
    date: TEXT,
    modified: TEXT,
    tags: { ...TEXTS, description: "Words to find it by: attack.execution, attack.t1059.004." },
    level: { enum: LEVELS, description: "How bad it is." },
    falsepositives: TEXT_OR_TEXTS,
    fields: { ...TEXTS, description: "Fields that are of interest in an alert." },
    logsource: LOGSOURCE,
    detection: DETECTION,
    correlation: CORRELATION,
    filter: FILTER,
  },
} as const;
