// The order of rpm's versions, [epoch:]version[-release]; rpm's docs/man/rpm-version(7) and rpmio/rpmvercmp.
import { compareDigits, compareTexts } from "./digits.ts";
import type { VersionOrder } from "./order.ts";

/** What has a meaning: a number, a word, "~" (before the end) or "^" (after it). All else only divides. */
const SEGMENT = /[0-9]+|[A-Za-z]+|~|\^/g;

/** What segments of different kinds are to each other; of none left is a kind of its own. */
const KINDS = ["~", "end", "^", "word", "number"] as const;
type Kind = (typeof KINDS)[number];

export const rpm: VersionOrder = {
  isVersion: (text) => /^(?:\d+:)?[^\s:-]+(?:-[^\s:-]+)?$/.test(text),
  compare(one, other) {
    const [a, b] = [takeApart(one), takeApart(other)];
    const difference = compareDigits(a.epoch, b.epoch) || compareSegments(a.version, b.version);
    // A version without a release stands for all of its releases, as in a package's requirements.
    if (difference !== 0 || a.release === "" || b.release === "") return difference;
    return compareSegments(a.release, b.release);
  },
};

function takeApart(text: string): { epoch: string; version: string; release: string } {
  const colon = text.indexOf(":");
  const [version = "", release = ""] = text.slice(colon + 1).split("-", 2);
  return { epoch: text.slice(0, Math.max(colon, 0)), version, release };
}

function compareSegments(one: string, other: string): number {
  const [a, b] = [one.match(SEGMENT) ?? [], other.match(SEGMENT) ?? []];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [segmentA = "", segmentB = ""] = [a[at], b[at]];
    const [kindA, kindB] = [kindOf(segmentA), kindOf(segmentB)];
    const difference =
      KINDS.indexOf(kindA) - KINDS.indexOf(kindB) ||
      (kindA === "number" ? compareDigits(segmentA, segmentB) : compareTexts(segmentA, segmentB));
    if (difference !== 0) return difference;
  }
  return 0;
}

function kindOf(segment: string): Kind {
  if (segment === "") return "end";
  if (segment === "~" || segment === "^") return segment;
  return /^[0-9]/.test(segment) ? "number" : "word";
}
