// Finds secrets by their own form: tokens of clouds and services, hashes of passwords, JWTs.
import { forms, looseForms } from "./forms.ts";
import type { Span } from "./span.ts";

/** A tail without an upper bound at its end: what it takes, it takes whole. */
const OPEN = /,\}(?:=\{0,[0-9]\})?$/;

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

interface Tail {
  kind: string;
  pattern: RegExp;
}

/** What may follow each head; also what may follow a shorter head that it begins with. */
const tails = new Map<string, Tail[]>();
const heads = [...new Set(forms.flatMap((form) => form.heads))].sort((a, b) => b.length - a.length);
for (const head of heads) {
  const meant = forms.flatMap((form) => form.heads.filter((one) => head.startsWith(one)).map((one) => ({ form, one })));
  tails.set(
    head,
    meant.map(({ form, one }) => ({
      kind: form.kind,
      pattern: new RegExp(`${escaped(one)}${form.tail}${OPEN.test(form.tail) ? "" : "(?![A-Za-z0-9])"}`, "y"),
    })),
  );
}
const HEADS = new RegExp(`(?<![A-Za-z0-9])(?:${heads.map(escaped).join("|")})`, "g");

/** Adds to `spans` what has a known form. */
export function findForms(text: string, spans: Span[]): void {
  HEADS.lastIndex = 0;
  for (let match = HEADS.exec(text); match; match = HEADS.exec(text)) {
    const start = match.index;
    const found = longest(text, start, tails.get(match[0]) as Tail[]);
    if (found) spans.push(found);
    HEADS.lastIndex = found ? found.end : start + 1;
  }
  for (const { kind, needle, pattern } of looseForms) {
    if (!text.includes(needle)) continue;
    for (const { index, 0: secret } of text.matchAll(pattern)) {
      spans.push({ start: index, end: index + secret.length, kind });
    }
  }
}

function longest(text: string, start: number, candidates: readonly Tail[]): Span | undefined {
  let found: Span | undefined;
  for (const { kind, pattern } of candidates) {
    pattern.lastIndex = start;
    if (pattern.test(text) && pattern.lastIndex > (found?.end ?? 0)) found = { start, end: pattern.lastIndex, kind };
  }
  return found;
}

/** The kind of a text that is wholly of one known form. */
export function formOf(text: string): string | undefined {
  const spans: Span[] = [];
  findForms(text, spans);
  return spans.find(({ start, end }) => start === 0 && end === text.length)?.kind;
}
