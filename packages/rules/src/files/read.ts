// Reads the items of one file and hands each to the collector, in order. An item with a fault is left out and told of.
import { type Place, type Problem, problem } from "../problem.ts";
import { isSigma } from "../sigma/documents.ts";
import type { Collector } from "./collector.ts";
import { boolean, entry, fail, ItemError, type ItemName, priority, text, texts, wholeNumber } from "./decode.ts";
import { type ExceptionItem, type RuleParts, SOURCE } from "./items.ts";
import { APPENDABLE, ITEM_KEYS, REPLACEABLE } from "./keys.ts";
import { engineVersion, isVersion, satisfies } from "./version.ts";
import { type MappingValue, readYaml, type Value } from "./yaml.ts";

/** A larger file is refused: reading it would hold the host up for seconds. */
export const FILE_CHARACTERS_MAX = 16 * 1024 * 1024;

const keysOf = (type: keyof typeof ITEM_KEYS): ReadonlySet<string> => new Set(Object.keys(ITEM_KEYS[type]));
const KEYS = { list: keysOf("list"), macro: keysOf("macro"), rule: keysOf("rule") };

const DEPRECATED_APPEND =
  "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.";
const DEPRECATED_ENABLED =
  "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry under the " +
  "'override' key (i.e. 'enabled: replace').";
const APPEND_AND_OVERRIDE =
  "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: append') " +
  "under 'override' instead.";

/**
 * Reads one file: Falco's items go into the collector, Sigma's documents into `sigma`, since what they mean shows only
 * when all are there. Gives the problems found.
 */
export function readFile(file: string, content: string, collector: Collector, sigma: MappingValue[]): Problem[] {
  const start: Place = { file, line: 1, column: 1 };
  const whole: ItemName = { type: "rules content", name: "" };
  if (content.length > FILE_CHARACTERS_MAX) {
    return [problem("RULES_FILE_TOO_LARGE", `the file has more than ${FILE_CHARACTERS_MAX} characters`, start, whole)];
  }
  const { documents, problems } = readYaml(file, content);
  for (const document of documents) {
    if (isSigma(document)) {
      sigma.push(document);
      continue;
    }
    if (document.kind !== "sequence") {
      const message =
        document.kind === "text" ? "Rules content is not yaml" : "Rules content is not yaml array of objects";
      problems.push(problem("LOAD_ERR_YAML_VALIDATE", message, document.place, whole));
      continue;
    }
    for (const item of document.items) {
      if (item.kind === "text" && item.isNull) continue;
      new ItemReader(collector, problems).read(item);
    }
  }
  return problems;
}

class ItemReader {
  readonly #collector: Collector;
  readonly #problems: Problem[];

  constructor(collector: Collector, problems: Problem[]) {
    this.#collector = collector;
    this.#problems = problems;
  }

  read(item: Value): void {
    try {
      this.#item(item);
    } catch (error) {
      if (!(error instanceof ItemError)) throw error;
      this.#problems.push(error.problem);
    }
  }

  #item(item: Value): void {
    const nameless: ItemName = { type: "rules content item", name: "" };
    if (item.kind !== "mapping") {
      const message = "Unexpected element type. Each element should be a yaml associative array.";
      fail("LOAD_ERR_YAML_VALIDATE", message, item.place, nameless);
    }
    const has = (key: string): boolean => item.entries.has(key);
    if (has("required_engine_version")) this.#engineVersion(item);
    else if (has("required_plugin_versions")) this.#pluginVersions(item);
    else if (has("list")) this.#list(item);
    else if (has("macro")) this.#macro(item);
    else if (has("rule")) this.#rule(item);
    else if (has("append_output")) this.#appendOutput(item);
    else if (has("static_fields")) this.#collector.staticFields.read(valueAt(item, "static_fields"));
    else this.#warn("LOAD_UNKNOWN_ITEM", "Unknown top level item", item.place, nameless);
  }

  #appendOutput(item: MappingValue): void {
    this.#problems.push(...this.#collector.extraOutputs.read(valueAt(item, "append_output")));
  }

  #warn(code: Problem["code"], message: string, place: Place, item: ItemName): void {
    this.#problems.push(problem(code, message, place, item));
  }

  #engineVersion(mapping: MappingValue): void {
    const item = { type: "required_engine_version", name: "" };
    const { text: wanted, place } = text(mapping, "required_engine_version", item);
    if (!isVersion(wanted)) {
      const message = `Unable to parse engine version '${wanted}' as a semver string. Expected "x.y.z" semver format.`;
      fail("LOAD_ERR_YAML_VALIDATE", message, place, item);
    }
    if (!satisfies(wanted)) {
      fail(
        "LOAD_ERR_VALIDATE",
        `Rules require engine version ${wanted}, but engine version is ${engineVersion()}`,
        place,
        item,
      );
    }
  }

  /** Plugins are Falco's own; what they would bring is known by name, so only the item's shape is checked. */
  #pluginVersions(mapping: MappingValue): void {
    const item = { type: "required_plugin_versions", name: "" };
    const value = mapping.entries.get("required_plugin_versions")?.value as Value;
    if (value.kind !== "sequence") {
      fail("LOAD_ERR_YAML_VALIDATE", "Value of required_plugin_versions must be a sequence", value.place, item);
    }
    for (const plugin of value.items) this.#pluginVersion(plugin, "Plugin version must be a mapping", item);
  }

  #pluginVersion(plugin: Value, message: string, item: ItemName): void {
    if (plugin.kind !== "mapping") fail("LOAD_ERR_YAML_VALIDATE", message, plugin.place, item);
    const name = text(plugin, "name", item).text;
    const version = text(plugin, "version", item);
    if (!/^\d+\.\d+\.\d+/.test(version.text)) {
      fail("LOAD_ERR_VALIDATE", `Invalid required version '${version.text}' for plugin '${name}'`, version.place, item);
    }
    const alternatives = plugin.entries.get("alternatives")?.value;
    if (!alternatives) return;
    if (alternatives.kind !== "sequence") {
      fail(
        "LOAD_ERR_YAML_VALIDATE",
        "Value of plugin version alternatives must be a sequence",
        alternatives.place,
        item,
      );
    }
    for (const each of alternatives.items)
      this.#pluginVersion(each, "Plugin version alternative must be a mapping", item);
  }

  /** What the item does to an earlier one: its keys' overrides, or the old `append: true`. */
  #changes(mapping: MappingValue, item: ItemName, appendable: string[], replaceable: string[]): Changes {
    const appendsAll = boolean(mapping, "append", item, false);
    if (appendsAll) this.#warn("LOAD_DEPRECATED_ITEM", DEPRECATED_APPEND, mapping.place, item);
    const changes: Changes = { appendsAll, append: new Map(), replace: new Map() };
    const override = mapping.entries.get("override")?.value;
    if (!override || (override.kind === "text" && override.isNull)) return changes;
    if (override.kind !== "mapping") fail("LOAD_ERR_YAML_VALIDATE", "Value is not a mapping", override.place, item);
    for (const [key, { key: place, value }] of override.entries) {
      const operation = value.kind === "text" ? value.text : "";
      if (operation === "append") {
        if (!appendable.includes(key)) {
          fail("LOAD_ERR_YAML_VALIDATE", `Key '${key}' cannot be appended to, use 'replace' instead`, place, item);
        }
        changes.append.set(key, place);
      } else if (operation === "replace") {
        if (!replaceable.includes(key)) fail("LOAD_ERR_YAML_VALIDATE", `Key '${key}' cannot be replaced`, place, item);
        changes.replace.set(key, place);
      } else {
        const allowed = [appendable.includes(key) && "append ", replaceable.includes(key) && "replace "].filter(
          Boolean,
        );
        const message =
          `Invalid override operation for key '${key}': '${operation}'. ` + `Allowed values are: ${allowed.join("")}`;
        fail("LOAD_ERR_YAML_VALIDATE", message, value.place, item);
      }
    }
    if (appendsAll && changes.append.size + changes.replace.size > 0) {
      fail("LOAD_ERR_YAML_VALIDATE", APPEND_AND_OVERRIDE, mapping.place, item);
    }
    return changes;
  }

  #unknownKeys(mapping: MappingValue, item: ItemName): void {
    const known = KEYS[item.type as keyof typeof KEYS];
    for (const [key, { key: place }] of mapping.entries) {
      if (!known.has(key)) this.#warn("LOAD_UNKNOWN_ITEM", `Unknown key '${key}'`, place, item);
    }
  }

  #list(mapping: MappingValue): void {
    const name = text(mapping, "list", { type: "list", name: "" });
    const item = { type: "list", name: name.text };
    if (!/^[^()"'\s=,]+$/.test(name.text)) {
      const message = `List has an invalid name. List names should match a regular expression: ([^()"'[:space:]=,]+)`;
      this.#warn("LOAD_INVALID_LIST_NAME", message, name.place, item);
    }
    const items = texts(mapping, "items", item, false) as string[];
    const changes = this.#changes(mapping, item, ["items"], ["items"]);
    this.#unknownKeys(mapping, item);
    const list = { name: name.text, place: mapping.place, items };
    this.#collector.list(list, changes.appendsAll || changes.append.has("items"));
  }

  #macro(mapping: MappingValue): void {
    const name = text(mapping, "macro", { type: "macro", name: "" });
    const item = { type: "macro", name: name.text };
    if (!/^[a-zA-Z]+[a-zA-Z0-9_]*$/.test(name.text)) {
      const message =
        "Macro has an invalid name. Macro names should match a regular expression: ([a-zA-Z]+[a-zA-Z0-9_]*)";
      this.#warn("LOAD_INVALID_MACRO_NAME", message, name.place, item);
    }
    const condition = text(mapping, "condition", item).mapped();
    const changes = this.#changes(mapping, item, ["condition"], ["condition"]);
    this.#unknownKeys(mapping, item);
    const appends = changes.appendsAll || changes.append.has("condition");
    this.#collector.macro({ name: name.text, place: mapping.place, condition }, appends);
  }

  #rule(mapping: MappingValue): void {
    const name = text(mapping, "rule", { type: "rule", name: "" });
    const item = { type: "rule", name: name.text };
    const changes = this.#changes(mapping, item, APPENDABLE, REPLACEABLE);
    this.#unknownKeys(mapping, item);
    const source = this.#source(mapping, item);
    if (changes.append.size + changes.replace.size > 0) {
      this.#override(mapping, item, changes, source);
      return;
    }
    const has = (key: string): boolean => mapping.entries.has(key);
    if (changes.appendsAll) {
      const keys = ["condition", "exceptions"].filter(has);
      const parts = this.#parts(mapping, item, keys, true);
      this.#collector.append(item, mapping.place, parts, source);
      return;
    }
    if (!["condition", "output", "desc", "priority"].some(has)) {
      const parts = this.#parts(mapping, item, ["enabled"], false);
      this.#warn("LOAD_DEPRECATED_ITEM", DEPRECATED_ENABLED, mapping.place, item);
      this.#collector.enable(item, mapping.place, parts.enabled as boolean);
      return;
    }
    const required = this.#parts(mapping, item, ["condition", "output", "desc", "priority"], false);
    const optional = this.#parts(
      mapping,
      item,
      REPLACEABLE.filter((key) => !(key in required) && has(key)),
      false,
    );
    const defaults = {
      tags: [],
      exceptions: [],
      enabled: true,
      warnsOfEventTypes: true,
      skipsUnknown: false,
    };
    const parts = { ...defaults, ...required, ...optional } as Required<RuleParts>;
    this.#collector.rule(
      { ...parts, name: item.name, place: mapping.place, source: source ?? SOURCE, foreign: false },
      item,
    );
  }

  /** An empty source is as good as none, as in Falco. */
  #source(mapping: MappingValue, item: ItemName): string | undefined {
    const value = mapping.entries.get("source")?.value;
    if (value === undefined || (value.kind === "text" && value.text === "")) return undefined;
    return text(mapping, "source", item).text;
  }

  #override(mapping: MappingValue, item: ItemName, changes: Changes, source: string | undefined): void {
    for (const [kind, keys] of [
      ["append", changes.append],
      ["replace", changes.replace],
    ] as const) {
      for (const [key, place] of keys) {
        if (mapping.entries.has(key)) continue;
        const message = `An ${kind} override for '${key}' was specified but '${key}' is not defined`;
        fail("LOAD_ERR_YAML_VALIDATE", message, place, item);
      }
    }
    for (const key of REPLACEABLE) {
      const found = mapping.entries.get(key);
      if (!found || changes.append.has(key) || changes.replace.has(key)) continue;
      const message = `Unexpected key '${key}': no corresponding entry under 'override' is defined.`;
      fail("LOAD_ERR_YAML_VALIDATE", message, found.key, item);
    }
    const { place } = mapping;
    const append = this.#parts(mapping, item, [...changes.append.keys()], true);
    const replace = this.#parts(mapping, item, [...changes.replace.keys()], false);
    if (changes.append.size > 0) this.#collector.append(item, place, append, source);
    if (changes.replace.size > 0) this.#collector.replace(item, place, replace, source);
  }

  /** Reads the named keys. Exceptions that are appended may lack what the exception of that name has already. */
  #parts(mapping: MappingValue, item: ItemName, keys: string[], appends: boolean): RuleParts {
    const parts: RuleParts = {};
    for (const key of keys) PART_READERS[key]?.(parts, mapping, item);
    if (keys.includes("exceptions")) parts.exceptions = this.#exceptions(mapping, item, appends);
    return parts;
  }

  #exceptions(mapping: MappingValue, rule: ItemName, appends: boolean): ExceptionItem[] {
    const value = mapping.entries.get("exceptions")?.value as Value;
    if (value.kind === "text" && value.isNull) return [];
    if (value.kind !== "sequence") {
      fail("LOAD_ERR_YAML_VALIDATE", "Rule exceptions must be a sequence", value.place, rule);
    }
    const exceptions: ExceptionItem[] = [];
    for (const each of value.items) {
      const exception = this.#exception(each, appends);
      if (exceptions.some(({ name }) => name === exception.name)) {
        const item = { type: "exception", name: exception.name };
        this.#warn(
          "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
          `Multiple definitions of exception '${exception.name}'`,
          each.place,
          item,
        );
      }
      exceptions.push(exception);
    }
    return exceptions;
  }

  #exception(value: Value, appends: boolean): ExceptionItem {
    const nameless = { type: "exception", name: "" };
    if (value.kind !== "mapping") {
      fail("LOAD_ERR_YAML_VALIDATE", "Rule exception must be a mapping", value.place, nameless);
    }
    const name = text(value, "name", nameless).text;
    const item = { type: "exception", name };
    const part = (key: string): Value | undefined => value.entries.get(key)?.value;
    const [fields, comparisons, values] = [part("fields"), part("comps"), part("values")];
    if (!fields && !appends) {
      fail("LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key 'fields'", value.place, item);
    }
    if (values && values.kind !== "sequence") {
      fail("LOAD_ERR_YAML_VALIDATE", "Rule exception values must be a sequence", values.place, item);
    }
    if (!values && appends) {
      this.#warn("LOAD_APPEND_NO_VALUES", "Overriding/appending exception with no values", value.place, item);
    }
    return {
      name,
      place: value.place,
      ...(fields && { fields: entry(fields, item) }),
      ...(comparisons && { comparisons: entry(comparisons, item) }),
      values: values?.kind === "sequence" ? values.items.map((each) => entry(each, item)) : [],
    };
  }
}

function valueAt(mapping: MappingValue, key: string): Value {
  return (mapping.entries.get(key) as { value: Value }).value;
}

interface Changes {
  appendsAll: boolean;
  /** Keys, with the place of their overrides. */
  append: Map<string, Place>;
  replace: Map<string, Place>;
}

type PartReader = (parts: RuleParts, mapping: MappingValue, item: ItemName) => unknown;

const PART_READERS: Readonly<Record<string, PartReader>> = {
  condition: (parts, mapping, item) => {
    parts.condition = text(mapping, "condition", item).mapped();
  },
  output: (parts, mapping, item) => {
    parts.output = text(mapping, "output", item).mapped();
  },
  desc: (parts, mapping, item) => {
    parts.description = text(mapping, "desc", item).text;
  },
  priority: (parts, mapping, item) => {
    parts.priority = priority(mapping, item);
  },
  tags: (parts, mapping, item) => {
    parts.tags = texts(mapping, "tags", item, false) ?? [];
  },
  enabled: (parts, mapping, item) => {
    text(mapping, "enabled", item);
    parts.enabled = boolean(mapping, "enabled", item, true);
  },
  warn_evttypes: (parts, mapping, item) => {
    parts.warnsOfEventTypes = boolean(mapping, "warn_evttypes", item, true);
  },
  "skip-if-unknown-filter": (parts, mapping, item) => {
    parts.skipsUnknown = boolean(mapping, "skip-if-unknown-filter", item, false);
  },
  // What Falco records around a detection is nothing of ours; these keys are only checked.
  capture: (_, mapping, item) => boolean(mapping, "capture", item, false),
  capture_duration: (_, mapping, item) => wholeNumber(mapping, "capture_duration", item),
};
