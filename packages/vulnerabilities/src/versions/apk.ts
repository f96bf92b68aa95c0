// The order of apk's versions, 1.2.3b_rc4-r5 (apk-tools, doc/apk-package.5, "Package version").
import { compareDigits, compareTexts } from "./digits.ts";
import type { VersionOrder } from "./order.ts";

const VERSION = /^\d+(?:\.\d+)*[a-z]?(?:_[a-z]+\d*)*(?:~[0-9a-f]+)?(?:-r\d+)?$/;
/** Each kind of token and how it is written; those with a mark before them are told by it. */
const FORMS: readonly (readonly [kind: Kind, form: string])[] = [
  ["number", "^\\d+"],
  ["part", "\\.\\d+"],
  ["letter", "[a-z]"],
  ["suffix", "_[a-z]+"],
  ["count", "(?<=_[a-z]+)\\d+"],
  ["commit", "~[0-9a-f]+"],
  ["revision", "-r\\d+"],
];
const TOKEN = new RegExp(FORMS.map(([kind, form]) => `(?<${kind}>${form})`).join("|"), "y");
const MARK = /^(?:[._~]|-r)/;

/** Of two versions that differ in nothing but that one goes on, the one whose next token is later here is earlier. */
const KINDS = ["number", "part", "letter", "suffix", "count", "commit", "revision", "end"] as const;
type Kind = (typeof KINDS)[number];

/** Suffixes in their order; those before the version itself, and those after it. */
const BEFORE = ["alpha", "beta", "pre", "rc"];
const AFTER = ["cvs", "svn", "git", "hg", "p"];

interface Token {
  kind: Kind;
  text: string;
}

const END: Token = { kind: "end", text: "" };

export const apk: VersionOrder = {
  isVersion: (text) => VERSION.test(text),
  compare(one, other) {
    const [a, b] = [tokensOf(one), tokensOf(other)];
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const [tokenA, tokenB] = [a[at] ?? END, b[at] ?? END];
      const difference = tokenA.kind === tokenB.kind ? compareTokens(tokenA, tokenB) : compareKinds(tokenA, tokenB);
      if (difference !== 0) return difference;
    }
    return 0;
  },
};

function tokensOf(version: string): Token[] {
  const tokens: Token[] = [];
  for (TOKEN.lastIndex = 0; ; ) {
    const groups = TOKEN.exec(version)?.groups;
    if (!groups) return tokens;
    for (const [kind] of FORMS) if (groups[kind]) tokens.push({ kind, text: groups[kind].replace(MARK, "") });
  }
}

function compareTokens({ kind, text: one }: Token, { text: other }: Token): number {
  if (kind === "suffix") return rankOf(one) - rankOf(other);
  if (kind === "letter" || kind === "commit") return compareTexts(one, other);
  // As digits behind a decimal point: 1.02 is before 1.1.
  if (kind === "part" && (one.startsWith("0") || other.startsWith("0"))) return compareTexts(one, other);
  return compareDigits(one, other);
}

function compareKinds(one: Token, other: Token): number {
  if (isBefore(one)) return -1;
  if (isBefore(other)) return 1;
  return KINDS.indexOf(other.kind) - KINDS.indexOf(one.kind);
}

const isBefore = ({ kind, text }: Token): boolean => kind === "suffix" && BEFORE.includes(text);

function rankOf(suffix: string): number {
  const before = BEFORE.indexOf(suffix);
  return before < 0 ? AFTER.indexOf(suffix) : before - BEFORE.length;
}
