// Places of secrets in a text: what every finder gives, and how a text is put together again without them.

/** From `start` up to, not including, `end`, in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
  /** What it is, as the token says: "password", "jwt", "github-token". */
  kind: string;
}

/** What stands for a secret; a text that holds one already is left as it is there. */
const TOKEN = /\[redacted:[a-z0-9-]{1,40}:[0-9a-f]{8}\]/g;

/** Where tokens stand in a text that was redacted before. */
export function tokensIn(text: string): Span[] {
  if (!text.includes("[redacted:")) return [];
  return [...text.matchAll(TOKEN)].map(({ index, 0: token }) => ({
    start: index,
    end: index + token.length,
    kind: "",
  }));
}

/**
 * The spans in order, none overlapping another: of two that do, the one that begins first reaches as far as both, and
 * says what it is. What begins within a token is passed over: its words look like a name and a value.
 */
export function settle(spans: readonly Span[], tokens: readonly Span[]): Span[] {
  const ordered = spans.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start || b.end - a.end);
  const settled: Span[] = [];
  let at = 0;
  for (const span of ordered) {
    while (at < tokens.length && (tokens[at] as Span).end <= span.start) at++;
    const token = tokens[at];
    if (token && (token.start < span.start || (token.start === span.start && span.end <= token.end))) continue;
    const last = settled.at(-1);
    if (last && span.start < last.end) last.end = Math.max(last.end, span.end);
    else settled.push({ ...span });
  }
  return settled;
}

/** The text with `tokenOf(secret, kind)` in the place of each span; they are in order and apart. */
export function replaceSpans(
  text: string,
  spans: readonly Span[],
  tokenOf: (secret: string, kind: string) => string,
): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, kind } of spans) {
    parts.push(text.slice(at, start), tokenOf(text.slice(start, end), kind));
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join("");
}
