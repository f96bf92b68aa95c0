// Resolves the settings: flags win over the environment, which wins over the file, which wins over the defaults.
import type { Setting } from "./setting.ts";
import { type Settings, settingCatalogue } from "./settings/index.ts";

export interface SettingName {
  section: string;
  key: string;
  /** As in a file: "uplink.retry_base_ms". */
  name: string;
  /** "NIGHTJAR_UPLINK_RETRY_BASE_MS". */
  variable: string;
  /** "--uplink-retry-base-ms". */
  flag: string;
  setting: Setting<unknown>;
}

export interface SettingProblem {
  code: "SETTING_UNKNOWN" | "SETTING_INVALID";
  /** The setting as the person wrote it: a variable, a flag, or a file's key. */
  place: string;
  message: string;
}

export type SettingSource = "flag" | "environment" | "file" | "default";

export interface ResolvedSettings {
  values: Settings;
  /** Where each value comes from, by name. */
  sources: Map<string, SettingSource>;
  problems: SettingProblem[];
}

/** All settings by name, in the catalogue's order. */
export const settingNames: readonly SettingName[] = Object.entries(settingCatalogue).flatMap(([section, table]) =>
  Object.entries(table).map(([key, setting]) => {
    const words = section === "common" ? key : `${section}_${key}`;
    return {
      section,
      key,
      name: section === "common" ? key : `${section}.${key}`,
      variable: `NIGHTJAR_${words.toUpperCase()}`,
      flag: `--${words.replaceAll("_", "-")}`,
      setting,
    };
  }),
);

/** Variables that begin with NIGHTJAR_ and are no settings, with what they are for. */
export const otherVariables: Readonly<Record<string, string>> = {
  NIGHTJAR_SUPERVISED: "set by `nightjar run` for its stages: a stage ends when its standard input closes",
  NIGHTJAR_SKIP_SETUP: "the launcher installs and builds nothing",
  NIGHTJAR_CASES: "the folder of conformance cases for the tests",
  NIGHTJAR_TEST_TIME_FACTOR: "the tests' deadlines are so many times as long, on a machine that is so much slower",
  NIGHTJAR_CONFIG: "the settings file",
};

interface Given {
  source: SettingSource;
  place: string;
  value: unknown;
}

/**
 * `flags` by flag name ("--state-dir"), `env` as the process has it, `file` as the settings file's YAML was parsed.
 * A problem names its place, what is wrong and what is allowed; its setting then has its default.
 */
export function resolveSettings(given: {
  flags?: Readonly<Record<string, unknown>>;
  env?: Readonly<Record<string, string | undefined>>;
  file?: unknown;
}): ResolvedSettings {
  const { flags = {}, env = {} } = given;
  const problems = [...unknownVariables(env), ...unknownKeys(given.file)];
  const sources = new Map<string, SettingSource>();
  const values: Record<string, Record<string, unknown>> = {};
  for (const known of settingNames) {
    const section = values[known.section] ?? {};
    values[known.section] = section;
    section[known.key] = known.setting.default;
    sources.set(known.name, "default");
    const found = find(known, flags, env, given.file);
    if (!found) continue;
    const value = known.setting.read(found.value);
    if (value === undefined) problems.push(invalid(known, found));
    else {
      section[known.key] = value;
      sources.set(known.name, found.source);
    }
  }
  return { values: values as unknown as Settings, sources, problems };
}

/** The environment that gives another process of the sensor the same settings; defaults are left out. */
export function settingsEnvironment(resolved: ResolvedSettings): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, section, key, variable, setting } of settingNames) {
    if (resolved.sources.get(name) === "default") continue;
    const value = (resolved.values as unknown as Record<string, Record<string, unknown>>)[section]?.[key];
    env[variable] = Array.isArray(value) ? value.join(setting.separator ?? ",") : String(value);
  }
  return env;
}

function find(
  known: SettingName,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  file: unknown,
): Given | undefined {
  if (flags[known.flag] !== undefined) return { source: "flag", place: known.flag, value: flags[known.flag] };
  const variable = env[known.variable];
  if (variable !== undefined) return { source: "environment", place: known.variable, value: variable };
  const table = known.section === "common" ? file : entry(file, known.section);
  const value = entry(table, known.key);
  return value === undefined ? undefined : { source: "file", place: known.name, value };
}

function invalid(known: SettingName, found: Given): SettingProblem {
  const shown = known.setting.secret ? "its value" : JSON.stringify(found.value);
  return {
    code: "SETTING_INVALID",
    place: found.place,
    message: `${found.place}: ${shown} is not allowed; allowed is ${known.setting.allowed}`,
  };
}

function entry(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): SettingProblem[] {
  const known = new Set([...settingNames.map((one) => one.variable), ...Object.keys(otherVariables)]);
  return Object.keys(env)
    .filter((name) => name.startsWith("NIGHTJAR_") && !known.has(name))
    .map((name) => unknown(name, [...known]));
}

function unknownKeys(file: unknown): SettingProblem[] {
  if (file === undefined || file === null) return [];
  if (typeof file !== "object" || Array.isArray(file)) {
    return [
      { code: "SETTING_INVALID", place: "file", message: "the settings file must be a mapping of names to values" },
    ];
  }
  const names = settingNames.map((one) => one.name);
  const given = Object.entries(file).flatMap(([key, value]) =>
    key in settingCatalogue && key !== "common" && typeof value === "object" && value !== null
      ? Object.keys(value).map((inner) => `${key}.${inner}`)
      : [key],
  );
  return given.filter((name) => !names.includes(name)).map((name) => unknown(name, names));
}

function unknown(name: string, candidates: readonly string[]): SettingProblem {
  const close = candidates.filter((one) => distance(one, name) <= SUGGESTION_DISTANCE_MAX)[0];
  const hint = close ? `; did you mean ${close}?` : "; docs/reference/settings.md lists all";
  return { code: "SETTING_UNKNOWN", place: name, message: `${name} is no setting${hint}` };
}

const SUGGESTION_DISTANCE_MAX = 3;

/** Levenshtein's distance between two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
