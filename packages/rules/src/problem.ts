// Every code a rules file can be refused or warned with, and the shape in which problems are returned.

/**
 * Codes beginning with LOAD_ are Falco's own, with its meaning; those with SIGMA_ are about documents of Sigma; the
 * others are ours.
 */
export const PROBLEM_CODES = {
  LOAD_ERR_YAML_PARSE: ["error", "The file is not YAML."],
  LOAD_ERR_YAML_VALIDATE: ["error", "The YAML is not shaped as rules: a key is missing, empty or of the wrong kind."],
  LOAD_ERR_COMPILE_CONDITION: ["error", "A condition does not parse, or names a field, event type or macro unknown."],
  LOAD_ERR_COMPILE_OUTPUT: ["error", "An output names a field that is not known."],
  LOAD_ERR_VALIDATE: ["error", "An item contradicts another one, e.g. appends to one that does not exist."],
  LOAD_UNKNOWN_SOURCE: ["warning", "The rule is for events of a source that no one here provides; it is skipped."],
  LOAD_NO_EVTTYPE: ["warning", "The rule can match any event type, so each event pays for it."],
  LOAD_UNKNOWN_FILTER: ["warning", "The rule asks to be skipped where it uses what is not known here, and it does."],
  LOAD_UNUSED_MACRO: ["warning", "No rule uses the macro."],
  LOAD_UNUSED_LIST: ["warning", "No rule uses the list."],
  LOAD_UNKNOWN_ITEM: ["warning", "An item, or a key of an item, that the language does not have; it is ignored."],
  LOAD_DEPRECATED_ITEM: ["warning", "An old form, still understood, or a field that is kept for old rules only."],
  LOAD_APPEND_NO_VALUES: ["warning", "An exception is appended to, with nothing to append."],
  LOAD_EXCEPTION_NAME_NOT_UNIQUE: ["warning", "Two exceptions of one rule have the same name."],
  LOAD_INVALID_MACRO_NAME: ["warning", "The macro's name is not an identifier, so no condition can name it."],
  LOAD_INVALID_LIST_NAME: ["warning", "The list's name is not a bare word, so it may be substituted where not meant."],
  LOAD_COMPILE_CONDITION: ["warning", "The condition compiles, but probably does not mean what its author meant."],
  SIGMA_SHAPE: ["error", "A document of Sigma lacks a key, or has one of the wrong kind."],
  SIGMA_KEY_MISSING: ["warning", "A key that the specification requires is missing; the rule means something without."],
  SIGMA_LEVEL_UNKNOWN: ["warning", "The level is none of Sigma's; the rule is taken for one of level medium."],
  SIGMA_CONDITION: ["error", "A condition does not parse, or names a detection that is not there."],
  SIGMA_AGGREGATION: [
    "error",
    "The condition aggregates behind a |, which the specification replaced by correlations.",
  ],
  SIGMA_MODIFIER_UNKNOWN: ["error", "A field has a modifier that the specification does not have."],
  SIGMA_MODIFIER_CHAIN: ["error", "Modifiers stand together, or in an order, that has no meaning."],
  SIGMA_VALUE: ["error", "A value is not of the kind that its modifiers take."],
  SIGMA_REGEX: ["error", "A regular expression is not of RE2's syntax, which has no look-arounds and back-references."],
  SIGMA_PLACEHOLDER_UNKNOWN: ["error", "Nothing says what a placeholder stands for."],
  SIGMA_LOGSOURCE_UNSERVED: ["warning", "The rule is for events that the sensor does not make; it is skipped."],
  SIGMA_NEVER_MATCHES: ["warning", "The rule only asks for what the sensor's events do not have; it is skipped."],
  SIGMA_FIELD_UNSERVED: ["warning", "The events have no such field, so tests of it are false; the rest still works."],
  SIGMA_FILTER_UNUSED: ["warning", "A filter names a rule that is not loaded."],
  SIGMA_PIPELINE: ["error", "A processing pipeline is not understood, so it is not used."],
  SIGMA_RULE_FAILURE: ["warning", "A processing pipeline refuses the rule; it is skipped."],
  SIGMA_TOO_LARGE: ["error", "With all its values and combinations, a rule is larger than is allowed."],
  TEST_FILE_INVALID: [
    "error",
    "A file of tests is not shaped as one: a key is unknown or missing, or of the wrong kind.",
  ],
  TEST_EVENT_INVALID: ["error", "An event of a test cannot be made so: no event of the sensor's would be like that."],
  CORRELATION_INVALID: ["error", "A correlation lacks a part, or one of its parts is not what it should be."],
  CORRELATION_UNKNOWN_RULE: [
    "error",
    "A correlation is about a rule or correlation that is not there, or has a fault.",
  ],
  CORRELATION_CYCLE: ["error", "A correlation is about itself, by way of others."],
  CORRELATION_TOO_LONG: ["error", "The timespan is longer than the sensor keeps matches."],
  SUPPRESSION_INVALID: ["error", "A suppression is not shaped as one: a key is missing, unknown or of the wrong kind."],
  SUPPRESSION_CONDITION: ["error", "A suppression's condition does not parse, or names an unknown field."],
  SUPPRESSION_NO_RULE: ["warning", "No rule has a name or tag that the suppression names."],
  RULES_FILE_TOO_LARGE: ["error", "The file is larger than FILE_CHARACTERS_MAX."],
  RULES_TOO_LARGE: ["error", "With its lists and macros put in, a condition is larger than is allowed."],
} as const satisfies Record<string, readonly ["error" | "warning", string]>;

export type ProblemCode = keyof typeof PROBLEM_CODES;

/**
 * Warnings that leave a rule out. They are no errors: a folder of public rules has such rules, and that is no reason to
 * keep it from being used.
 */
export const SKIPPING_CODES: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "SIGMA_LOGSOURCE_UNSERVED",
  "SIGMA_NEVER_MATCHES",
  "SIGMA_RULE_FAILURE",
]);

/** Where something stands. Lines and columns count from 1; columns count UTF-16 units. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export interface Problem extends Place {
  severity: "error" | "warning";
  code: ProblemCode;
  message: string;
  /** The item it is about, e.g. { type: "rule", name: "Shell on a socket" }. */
  item?: { type: string; name: string };
}

/** Makes a problem; its severity follows from its code. */
export function problem(code: ProblemCode, message: string, place: Place, item?: Problem["item"]): Problem {
  const { file, line, column } = place;
  const made: Problem = { severity: PROBLEM_CODES[code][0], code, file, line, column, message };
  return item ? { ...made, item } : made;
}
