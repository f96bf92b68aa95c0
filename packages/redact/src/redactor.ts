// Puts short tokens in the place of secrets: the same token for the same secret, as long as the key is the same.
import assert from "node:assert";
import { createHmac } from "node:crypto";
import { findAddresses } from "./find-addresses.ts";
import { findArguments } from "./find-arguments.ts";
import { findAssignments, isSecretValue, secretName } from "./find-assignments.ts";
import { findCommands } from "./find-commands.ts";
import { findForms, formOf } from "./find-forms.ts";
import { findPem } from "./find-pem.ts";
import { findUrls } from "./find-urls.ts";
import { patternFinder } from "./pattern.ts";
import { replaceSpans, type Span, settle, tokensIn } from "./span.ts";

export interface RedactorOptions {
  /** KEY_BYTES random bytes, the host's own: who has them can try out which secret a token stands for. */
  key: Uint8Array;
  /** More of what is secret, in RE2's syntax; none with a `patternProblem`. */
  extraPatterns?: readonly string[];
}

/** A secret that stood in a place of its own, and what stands for it. */
export interface Seen {
  readonly secret: string;
  readonly kind: string;
}

/**
 * Replaces secrets by `[redacted:<kind>:<8 hex digits>]`. Never throws, takes linear time, and leaves what was redacted
 * as it is.
 */
export interface Redactor {
  /** Any text: a line of a log, a path, a URL, a command line as one. */
  text(text: string): string;
  /** A program's arguments, its name first; `seen` is given what they hold. */
  args(args: readonly string[], seen?: (secret: Seen) => void): string[];
  /** A variable and its value, "NAME=value", whatever it holds. */
  variable(entry: string, seen?: (secret: Seen) => void): string;
  /** The value of something with a name. */
  named(name: string, value: string): string;
  /** What stands for a secret. */
  token(secret: string, kind: string): string;
}

export const KEY_BYTES = 32;
/** 32 bits: of 1,000 secrets on a host, two share a token once in 8,600 hosts. */
const DIGEST_HEX_DIGITS = 8;
/** Replacing can make a place that a rule looks for; what is left after so many times stays. */
const ROUNDS_MAX = 4;

/** What was redacted lately: lines of ancestors, names and paths come again and again. */
const REMEMBERED_TEXTS_MAX = 2_048;
const REMEMBERED_CHARACTERS_MAX = 1_024;

/** Of what is put into the environment: other texts there are no assignments. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

type Finder = (text: string, spans: Span[]) => void;

/** A redactor; asserts that the key has KEY_BYTES. */
export function createRedactor({ key, extraPatterns = [] }: RedactorOptions): Redactor {
  assert(key.length === KEY_BYTES, `a key has ${KEY_BYTES} bytes`);
  return new KeyedRedactor(key, [
    findPem,
    findForms,
    findUrls,
    findAssignments,
    findCommands,
    findAddresses,
    ...(extraPatterns.length > 0 ? [patternFinder(extraPatterns)] : []),
  ]);
}

class KeyedRedactor implements Redactor {
  readonly #key: Uint8Array;
  readonly #finders: readonly Finder[];
  readonly #remembered = new Map<string, string>();
  readonly #digests = new Map<string, string>();

  constructor(key: Uint8Array, finders: readonly Finder[]) {
    this.#key = key;
    this.#finders = finders;
  }

  text(text: string): string {
    if (text.length > REMEMBERED_CHARACTERS_MAX) return this.#redacted(text);
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    const redacted = this.#redacted(text);
    remember(this.#remembered, text, redacted);
    return redacted;
  }

  args(args: readonly string[], seen?: (secret: Seen) => void): string[] {
    const found = findArguments(args);
    return args.map((arg, index) => {
      const spans = found.filter((span) => span.index === index);
      return this.text(spans.length === 0 ? arg : this.#replaced(arg, spans, seen));
    });
  }

  variable(entry: string, seen?: (secret: Seen) => void): string {
    const equals = entry.indexOf("=");
    const name = entry.slice(0, Math.max(0, equals));
    const row = VARIABLE.test(name) ? secretName(name) : undefined;
    const value = entry.slice(equals + 1);
    if (!row || !isSecretValue(row, value)) return this.text(entry);
    const kind = formOf(value) ?? row.kind;
    return this.text(this.#replaced(entry, [{ start: equals + 1, end: entry.length, kind }], seen));
  }

  named(name: string, value: string): string {
    const row = secretName(name);
    if (!row || !isSecretValue(row, value)) return this.text(value);
    return this.#replaced(value, [{ start: 0, end: value.length, kind: formOf(value) ?? row.kind }]);
  }

  token(secret: string, kind: string): string {
    let digest = this.#digests.get(secret);
    if (digest === undefined) {
      digest = createHmac("sha256", this.#key).update(secret).digest("hex").slice(0, DIGEST_HEX_DIGITS);
      if (secret.length <= REMEMBERED_CHARACTERS_MAX) remember(this.#digests, secret, digest);
    }
    return `[redacted:${kind}:${digest}]`;
  }

  #redacted(text: string): string {
    let redacted = text;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const spans: Span[] = [];
      for (const find of this.#finders) find(redacted, spans);
      if (spans.length === 0) break;
      const before = redacted;
      redacted = this.#replaced(redacted, spans);
      if (redacted === before) break;
    }
    return redacted;
  }

  #replaced(text: string, spans: readonly Span[], seen?: (secret: Seen) => void): string {
    const settled = settle(spans, tokensIn(text));
    return replaceSpans(text, settled, (secret, kind) => {
      seen?.({ secret, kind });
      return this.token(secret, kind);
    });
  }
}

/** When it is full it begins anew: what comes again and again is there again at once. */
function remember(known: Map<string, string>, key: string, value: string): void {
  if (known.size >= REMEMBERED_TEXTS_MAX) known.clear();
  known.set(key, value);
}
