// Finds what follows a name that says it is secret: NAME=value, "name": "value", --name value, headers, parameters.
import { type NameRow, nameRows, notSecretNames } from "./names.ts";
import { isCode, isNoSecret, looksRandom } from "./not-secret.ts";
import type { Span } from "./span.ts";

const NAME_CHARACTERS_MAX = 64;

const normal = (name: string) => name.toLowerCase().replace(/[ _.-]/g, "");
const rowOf = new Map<string, NameRow>(nameRows.map((one) => [normal(one.ending), one]));
const endings = [...nameRows.map((one) => one.ending), "authorization"]
  .sort((a, b) => b.length - a.length)
  .map((ending) => ending.replaceAll(" ", "[_.-]?"));
// A name, then "=", ":", "=>" or ":=" with little space around; or space alone, which counts for flags.
const NAME = new RegExp(
  `(${endings.join("|")})(?:\\\\?["'\\]]{0,2}[ \\t]{0,3}(?:=>|:=|==|[=:])[ \\t]{0,3}|[ \\t]{1,3}(?=[^ \\t]))`,
  "gi",
);

const SCHEME = /(?:Bearer|Basic|Token|ApiKey|GenieKey|Splunk|Bot|Negotiate|NTLM|OAuth|SSWS|PRIVATE-TOKEN)[ \t]{1,3}/iy;
/** Their parameters hold more than one secret. */
const REST_SCHEME = /(?:Digest|AWS4-HMAC-SHA256|Hawk|Signature)[ \t]{1,3}[^"'\r\n]*/iy;
const REST_OF_LINE = /[^"'\r\n]*/y;
const UNQUOTED = /[^ \t\r\n"'`;&|<>]*/y;
/** Of `username=a,password=b,uid=0` and of code without spaces: the next one. */
const NEXT_NAME = /,[A-Za-z_][A-Za-z0-9_-]{0,40}[=:]/;
/** What closes a sentence, a list or a call behind a value. */
const TRAILING = /[,.)\]}\\]+$/;
const SCHEME_IN_TEXT = /(?<![A-Za-z])(?:Bearer|Basic)[ \t]+([A-Za-z0-9._~+/=-]{12,})/gi;

/** The row of a name, by how it ends; undefined where it is no secret's. Of "--db-password" and "DB_PASSWORD" alike. */
export function secretName(name: string): NameRow | undefined {
  if (notSecretNames.some((pattern) => pattern.test(name))) return undefined;
  const lower = normal(name);
  for (let from = Math.max(0, lower.length - NAME_CHARACTERS_MAX); from < lower.length; from++) {
    const row = rowOf.get(lower.slice(from));
    if (row && (!row.whole || standsAlone(name, startOfLast(name, lower.length - from)))) return row;
  }
  return undefined;
}

/** Where the last `count` characters of a name begin that are no separators. */
function startOfLast(name: string, count: number): number {
  let at = name.length;
  for (let left = count; left > 0; at--) if (!/[ _.-]/.test(name[at - 1] ?? "")) left--;
  return at;
}

/** Whether no word goes on over the place: a letter before it is the end of another word. */
function standsAlone(text: string, at: number): boolean {
  const before = text[at - 1] ?? "";
  if (!/[A-Za-z]/.test(before)) return true;
  return /[a-z]/.test(before) && /[A-Z]/.test(text[at] ?? "");
}

/** Whether a value of that name is a secret; `value` is all of it. */
export function isSecretValue(row: NameRow, value: string): boolean {
  return !isNoSecret(value) && (row.like === "any" || looksRandom(value));
}

/** Adds to `spans` the values of names that say they are secret. */
export function findAssignments(text: string, spans: Span[]): void {
  const reader = new ValueReader(text);
  NAME.lastIndex = 0;
  for (let match = NAME.exec(text); match; match = NAME.exec(text)) {
    const ending = match[1] as string;
    const nameEnd = match.index + ending.length;
    const from = match.index + match[0].length;
    const separator = text.slice(nameEnd, from);
    const span = valueAfter(reader, { at: match.index, ending, separator, from });
    if (span) spans.push(span);
    // A value may be the next name: "password token=x".
    NAME.lastIndex = span ? span.end : nameEnd;
  }
  for (const match of text.matchAll(SCHEME_IN_TEXT)) {
    const secret = match[1] as string;
    const end = match.index + match[0].length;
    if (/[0-9]/.test(secret) && looksRandom(secret)) {
      spans.push({ start: end - secret.length, end, kind: "authorization" });
    }
  }
}

interface Named {
  at: number;
  ending: string;
  separator: string;
  from: number;
}

function valueAfter(reader: ValueReader, { at, ending, separator, from }: Named): Span | undefined {
  const { text } = reader;
  const before = /[A-Za-z0-9_.-]*$/.exec(text.slice(Math.max(0, at - NAME_CHARACTERS_MAX), at))?.[0] ?? "";
  const flag = /^--?[A-Za-z]/.test(before + ending);
  const spaced = separator.trim() === "";
  if (spaced && (!flag || text[from] === "-")) return undefined;
  if (ending.toLowerCase() === "authorization") return reader.authorization(from);
  if (normal(ending) === "cookie" && separator.includes(":")) return reader.rest(from, "cookie");
  const row = secretName(before + ending);
  if (!row) return undefined;
  const value = reader.value(from);
  if (!value) return undefined;
  const secret = text.slice(value.start, value.end);
  if (!isSecretValue(row, secret)) return undefined;
  if (!value.quoted && (isCode(secret) || (separator.includes(":") && isProse(reader, separator, value)))) {
    return undefined;
  }
  return { start: value.start, end: value.end, kind: row.kind };
}

/** "password: the account is locked": a word in small letters, and the sentence goes on. */
function isProse({ text }: ValueReader, separator: string, { start, end }: Value): boolean {
  return (
    /[ \t]$/.test(separator) &&
    /^[A-Za-z]?[a-z']+$/.test(text.slice(start, end)) &&
    /^[,.]?[ \t][a-z]/.test(text.slice(end, end + 3))
  );
}

interface Value {
  start: number;
  end: number;
  quoted: boolean;
}

/** Reads values; remembers which quotes are closed nowhere any more, so that no text is searched twice for one. */
class ValueReader {
  readonly text: string;
  readonly #unclosed = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  value(from: number): Value | undefined {
    const { text } = this;
    const quote = /^\\?["']/.exec(text.slice(from, from + 2))?.[0];
    if (quote) {
      const start = from + quote.length;
      const end = this.#closing(quote, start);
      if (end !== -1) return { start, end, quoted: true };
      return { start, end: this.#unquotedEnd(start), quoted: false };
    }
    return { start: from, end: this.#unquotedEnd(from), quoted: false };
  }

  authorization(from: number): Span {
    REST_SCHEME.lastIndex = from;
    if (REST_SCHEME.test(this.text)) return this.rest(from, "authorization");
    SCHEME.lastIndex = from;
    const start = SCHEME.test(this.text) ? SCHEME.lastIndex : from;
    return { start, end: this.#unquotedEnd(start), kind: "authorization" };
  }

  rest(from: number, kind: string): Span {
    REST_OF_LINE.lastIndex = from;
    REST_OF_LINE.test(this.text);
    return { start: from, end: Math.max(from, REST_OF_LINE.lastIndex), kind };
  }

  #unquotedEnd(start: number): number {
    UNQUOTED.lastIndex = start;
    const value = UNQUOTED.exec(this.text)?.[0] ?? "";
    const next = NEXT_NAME.exec(value);
    return start + trimmedLength(next ? value.slice(0, next.index) : value);
  }

  /** Where the quote is closed; -1 where it is not. One that is escaped closes nothing. */
  #closing(quote: string, from: number): number {
    if (this.#unclosed.has(quote)) return -1;
    for (let at = this.text.indexOf(quote, from); at !== -1; at = this.text.indexOf(quote, at + 1)) {
      if (quote.length > 1 || !isEscaped(this.text, from, at)) return at;
    }
    this.#unclosed.add(quote);
    return -1;
  }
}

/** Of `password=secret)` the bracket is not the secret's; of a value that is nothing else, everything is. */
function trimmedLength(value: string): number {
  const trailing = TRAILING.exec(value.slice(-8))?.[0].length ?? 0;
  return trailing < value.length ? value.length - trailing : value.length;
}

function isEscaped(text: string, from: number, at: number): boolean {
  let backslashes = 0;
  while (at - 1 - backslashes >= from && text[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}
