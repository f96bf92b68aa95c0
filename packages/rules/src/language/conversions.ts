// Conversions that Sigma's tests put to a value first. No rule can name them: their names have a blank in them.
import { formatAddress } from "@nightjar/events";
import { parseAddress } from "../fields/address.ts";
import type { Value } from "../fields/definition.ts";
import type { ValueType } from "../fields/known.ts";
import type { TextPart } from "./tests.ts";

interface Conversion {
  gives: ValueType;
  /** Undefined where the value cannot be converted: then it counts as missing. */
  apply: (value: Value) => Value;
  /** What a text holds that is converted to one that holds the part: one index of texts serves both. */
  part?: (part: TextPart) => TextPart;
}

/** A value as text: numbers in decimal, addresses as people write them. */
function asText(value: Value): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? formatAddress(value) : String(value);
}

function asNumber(value: Value): Value {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

/** Numbers below these are seconds, milliseconds and microseconds since 1970, of times up to the year 5138. */
const SECONDS_MAX = 1e11;
const MILLISECONDS_MAX = 1e14;
const MICROSECONDS_MAX = 1e17;

function asTime(value: Value): Date | undefined {
  const number = asNumber(value);
  if (number === undefined) {
    if (typeof value !== "string") return undefined;
    // A text without a zone is in UTC: ECMAScript takes a date and time without one for local.
    const zoned = /(?:z|[+-]\d\d:?\d\d)$/i.test(value) || !/\d:\d/.test(value) ? value : `${value.replace(" ", "T")}Z`;
    const time = new Date(zoned);
    return Number.isNaN(time.getTime()) ? undefined : time;
  }
  const size = Number(number);
  const scale = size < SECONDS_MAX ? 1e3 : size < MILLISECONDS_MAX ? 1 : size < MICROSECONDS_MAX ? 1e-3 : 1e-6;
  return new Date(size * scale);
}

const DAY_MS = 86_400_000;

/** The week by ISO 8601: the first has the year's first Thursday. */
function weekOf(time: Date): number {
  const day = Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate());
  const thursday = new Date(day + (4 - (time.getUTCDay() || 7)) * DAY_MS);
  return Math.ceil(((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / DAY_MS + 1) / 7);
}

const part = (of: (time: Date) => number): Conversion => ({
  gives: "int",
  apply: (value) => {
    const time = asTime(value);
    return time && of(time);
  },
});

export const CONVERSIONS = new Map<string, Conversion>([
  ["text of", { gives: "string", apply: asText, part: (part) => part }],
  [
    "lower case of",
    {
      gives: "string",
      apply: (value) => asText(value).toLowerCase(),
      part: (part) => ({ ...part, ignoreCase: true }),
    },
  ],
  ["number in", { gives: "double", apply: asNumber }],
  ["address in", { gives: "ip", apply: (value) => (typeof value === "string" ? parseAddress(value) : value) }],
  ["minute of", part((time) => time.getUTCMinutes())],
  ["hour of", part((time) => time.getUTCHours())],
  ["day of", part((time) => time.getUTCDate())],
  ["week of", part(weekOf)],
  ["month of", part((time) => time.getUTCMonth() + 1)],
  ["year of", part((time) => time.getUTCFullYear())],
]);

/** Converts a value, or each of several. */
export function convert(conversion: Conversion, value: Value): Value {
  if (!Array.isArray(value)) return conversion.apply(value);
  const results = value.map((each) => conversion.apply(each)).filter((each) => each !== undefined);
  return results.length > 0 ? results : undefined;
}
