// One setting: its type, range, default and meaning; and how all of them are resolved from flags, environment and file.

/** A setting of values of type T. */
export interface Setting<T> {
  readonly kind: "integer" | "number" | "text" | "path" | "boolean" | "choice" | "list";
  readonly doc: string;
  readonly default: T;
  readonly unit?: string;
  /** What is allowed, for a person. */
  readonly allowed: string;
  /** Between the texts of a list in a flag or variable; a comma where it is left out. */
  readonly separator?: string;
  /** Its value is never shown or logged. */
  readonly secret?: boolean;
  /** Reads a value from text (flag, environment) or from a file's plain value; undefined when it is not allowed. */
  readonly read: (value: unknown) => T | undefined;
}

export type SettingTable = Readonly<Record<string, Setting<unknown>>>;
export type Values<T extends SettingTable> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : never;
};

interface Common<T> {
  doc: string;
  default: T;
  secret?: boolean;
}

interface Ranged extends Common<number> {
  min: number;
  max: number;
  unit?: string;
}

function ranged(kind: "integer" | "number", options: Ranged, fits: (value: number) => boolean): Setting<number> {
  const { min, max, unit } = options;
  return {
    kind,
    ...options,
    allowed: `${kind === "integer" ? "a whole number" : "a number"} from ${min} to ${max}${unit ? ` (${unit})` : ""}`,
    read(value) {
      if (typeof value === "string" && value.trim() === "") return undefined;
      const number = Number(value);
      return fits(number) && number >= min && number <= max ? number : undefined;
    },
  };
}

/** A whole number from `min` to `max`, both included. */
export function integer(options: Ranged): Setting<number> {
  return ranged("integer", options, Number.isSafeInteger);
}

/** A number from `min` to `max`, both included. */
export function number(options: Ranged): Setting<number> {
  return ranged("number", options, Number.isFinite);
}

/** Any text. */
export function text(options: Common<string>): Setting<string> {
  return {
    kind: "text",
    ...options,
    allowed: "text",
    read: (value) => (typeof value === "string" ? value : undefined),
  };
}

/** A path of a file or folder; relative ones begin at the working directory. */
export function path(options: Common<string>): Setting<string> {
  return { ...text(options), kind: "path", allowed: "a path" };
}

const BOOLEANS = new Map<unknown, boolean>([
  ["true", true],
  ["1", true],
  ["yes", true],
  [true, true],
  ["false", false],
  ["0", false],
  ["no", false],
  [false, false],
]);

export function boolean(options: Common<boolean>): Setting<boolean> {
  return {
    kind: "boolean",
    ...options,
    allowed: "true or false",
    read: (value) => BOOLEANS.get(typeof value === "string" ? value.toLowerCase() : value),
  };
}

/** One of some words. */
export function choice<const T extends string>(
  options: Common<NoInfer<T>> & { choices: readonly T[] },
): Setting<T> & { readonly choices: readonly T[] } {
  return {
    kind: "choice",
    ...options,
    allowed: `one of ${options.choices.join(", ")}`,
    read: (value) => options.choices.find((one) => one === value),
  };
}

/** Several texts: separated by commas in a flag or variable, a sequence in a file. */
export function list(options: Common<readonly string[]>): Setting<readonly string[]> {
  return {
    kind: "list",
    ...options,
    allowed: "texts separated by commas",
    read(value) {
      if (typeof value === "string")
        return value
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one !== "");
      return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined;
    },
  };
}
