// Finds certificates and private keys in PEM (RFC 7468) and what is written like it: OpenSSH, PGP, PuTTY.
import type { Span } from "./span.ts";

const BEGIN = "-----BEGIN ";
/** One that is not closed, as where a text was cut, ends with what can be its contents: base64 and headers. */
const LABEL = /-----BEGIN ([A-Z0-9 ]{1,64})-----/y;
const BODY = /[A-Za-z0-9+/=:,.\s\\-]*/y;
const END = /-----END [A-Z0-9 ]{1,64}-----/;
const PUTTY = /(?<=Private-Lines: [0-9]{1,4}(?:\r?\n|\\n))[A-Za-z0-9+/=\s\\]+/g;

/** By words of the label; what has none of them is public. */
const kinds: readonly (readonly [string, string])[] = [
  ["PRIVATE KEY", "private-key"],
  ["PGP MESSAGE", "message"],
  ["CERTIFICATE", "certificate"],
  ["PKCS7", "certificate"],
  ["CMS", "certificate"],
];

/** Adds to `spans` what is between and with BEGIN and END. */
export function findPem(text: string, spans: Span[]): void {
  for (let at = text.indexOf(BEGIN); at !== -1; ) {
    LABEL.lastIndex = at;
    const label = LABEL.exec(text);
    const kind = kinds.find(([words]) => label?.[1]?.includes(words))?.[1];
    let next = at + BEGIN.length;
    if (label && kind) {
      BODY.lastIndex = at + label[0].length;
      const body = BODY.exec(text)?.[0] ?? "";
      const end = END.exec(body);
      next = at + label[0].length + (end ? end.index + end[0].length : body.trimEnd().length);
      spans.push({ start: at, end: next, kind });
    }
    at = text.indexOf(BEGIN, next);
  }
  if (!text.includes("Private-Lines: ")) return;
  for (const { index, 0: lines } of text.matchAll(PUTTY)) {
    spans.push({ start: index, end: index + lines.trimEnd().length, kind: "private-key" });
  }
}
