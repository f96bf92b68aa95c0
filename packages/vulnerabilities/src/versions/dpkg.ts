// The order of dpkg's versions, deb-version(7): epoch, upstream version, revision.
import { compareDigits } from "./digits.ts";
import type { VersionOrder } from "./order.ts";

/** [epoch:]upstream[-revision]; without a revision the upstream version has no hyphen. */
const VERSION = /^(?:(\d+):)?([A-Za-z0-9.+~:-]+?)(?:-([A-Za-z0-9+.~]+))?$/;
/** A text of no digits, which may be empty, and the digits after it. */
const PART = /([^0-9]*)([0-9]*)/y;

/** Letters come before all else but "~", which comes before the end too. */
const TILDE = -1;
const END = 0;
const OTHERS = 256;

export const dpkg: VersionOrder = {
  isVersion: (text) => VERSION.test(text),
  compare(one, other) {
    const [a, b] = [takeApart(one), takeApart(other)];
    return (
      compareDigits(a.epoch, b.epoch) || compareParts(a.upstream, b.upstream) || compareParts(a.revision, b.revision)
    );
  },
};

function takeApart(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf("-");
  return {
    epoch: version.slice(0, Math.max(colon, 0)),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? "" : rest.slice(hyphen + 1),
  };
}

/** In turn a text without digits and a number, until they differ. */
function compareParts(one: string, other: string): number {
  for (let a = 0, b = 0; a < one.length || b < other.length; ) {
    const [wholeA, textA, numberA] = partAt(one, a);
    const [wholeB, textB, numberB] = partAt(other, b);
    const difference = compareCharacters(textA, textB) || compareDigits(numberA, numberB);
    if (difference !== 0) return difference;
    a += wholeA.length;
    b += wholeB.length;
  }
  return 0;
}

function partAt(text: string, at: number): [whole: string, text: string, number: string] {
  PART.lastIndex = at;
  const [whole = "", characters = "", digits = ""] = PART.exec(text) ?? [];
  return [whole, characters, digits];
}

function compareCharacters(one: string, other: string): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const difference = weightOf(one[at]) - weightOf(other[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function weightOf(character: string | undefined): number {
  if (character === undefined) return END;
  if (character === "~") return TILDE;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + OTHERS;
}
