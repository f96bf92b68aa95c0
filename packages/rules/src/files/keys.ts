// The keys of the items of Falco's files, with what they say: what is read, and what an editor is told, goes by these.

/** The kind of a key's value, as schema.ts writes it down. */
export type KeyKind =
  | "text"
  | "texts"
  | "boolean"
  | "priority"
  | "source"
  | "exceptions"
  | "append-or-replace"
  | "duration"
  | "version"
  | "plugins"
  | "append-output"
  | "static-fields";

type Keys = Readonly<Record<string, readonly [kind: KeyKind, says: string]>>;

const CHANGES: Keys = {
  append: ["boolean", "Deprecated: add to the item of this name; use `override`."],
  override: [
    "append-or-replace",
    "For each key given here, whether it is added to the item of this name or replaces it.",
  ],
};

export const ITEM_KEYS = {
  list: {
    list: ["text", "The list's name, by which conditions and later lists name it."],
    items: ["texts", "What it stands for; names of earlier lists stand for their items."],
    ...CHANGES,
  },
  macro: {
    macro: ["text", "The macro's name, by which conditions name it."],
    condition: ["text", "What it stands for."],
    ...CHANGES,
  },
  rule: {
    rule: ["text", "The rule's name."],
    condition: ["text", "When it is true of an event, the rule matches."],
    output: ["text", "What is said of the event; %field is filled in."],
    desc: ["text", "What the rule finds, for people."],
    priority: ["priority", "How bad it is."],
    tags: ["texts", "Words to find it by, of ATT&CK among them: T1059, mitre_execution."],
    exceptions: ["exceptions", "When it shall not match all the same."],
    enabled: ["boolean", "Whether it is used; true without this."],
    warn_evttypes: ["boolean", "Whether it is warned of where it can be true of too many event types."],
    source: ["source", "Where its events come from; syscall without this."],
    "skip-if-unknown-filter": ["boolean", "Leave it out, without an error, where it names a field that is not known."],
    capture: ["boolean", "Taken and not used: Falco records what happens then."],
    capture_duration: ["duration", "Taken and not used, as `capture`."],
    ...CHANGES,
  },
} as const satisfies Record<string, Keys>;

/** The keys of an exception. */
export const EXCEPTION_KEYS = {
  name: "The exception's name.",
  fields: "A field, or several that are compared together.",
  comps: "How: an operator, or one for each field; without it `in` for one field and `=` for several.",
  values: "What with: values, or for several fields a list of values each.",
} as const;

/** The items that say what a file needs. */
export const NEEDS_KEYS = {
  required_engine_version: ["version", "The oldest version of Falco's engine that understands the file."],
  required_plugin_versions: ["plugins", "Plugins of Falco's that the file's rules need; none is used here."],
} as const satisfies Keys;

/** The items that put something into the outputs of rules. */
export const OUTPUT_KEYS = {
  append_output: ["append-output", "What is put behind the outputs of rules, by entries."],
  static_fields: ["static-fields", "Values by name, which outputs and conditions may name as static.NAME."],
} as const satisfies Keys;

/** The keys of an entry of `append_output`, and of its `match`. */
export const APPEND_OUTPUT_KEYS = {
  match: "Which rules; all without it.",
  extra_output: "What is put behind their outputs.",
  extra_fields: "Fields that their matches carry too.",
  suggested_output: "Whether to put behind what the fields' authors suggest.",
} as const;
export const APPEND_OUTPUT_MATCH_KEYS = {
  source: "Only rules for events of this source.",
  tags: "Only rules with all of these tags.",
  rule: "Only the rule of this name.",
} as const;

/** What a later item may add to a rule's keys, and what it may put in their place. */
export const APPENDABLE: string[] = ["condition", "output", "desc", "tags", "exceptions"];
export const REPLACEABLE: string[] = [
  ...APPENDABLE,
  "priority",
  "enabled",
  "warn_evttypes",
  "skip-if-unknown-filter",
  "capture",
  "capture_duration",
];
