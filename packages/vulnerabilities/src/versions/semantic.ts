// The order of semantic versions, as npm, Go and crates.io have them, by the library that npm itself uses.
import { compare, parse } from "semver";
import type { VersionOrder } from "./order.ts";

/** Go writes "v1.2.3"; old packages of npm write "=1.2.3" or "1.2.3beta". */
const LOOSE = { loose: true } as const;

export const semantic: VersionOrder = {
  // OSV writes "0" for the version before all others.
  isVersion: (text) => parse(whole(text), LOOSE) !== null,
  compare: (one, other) => compare(whole(one), whole(other), true),
};

/** OSV's records shorten some: "0", "1.2". */
function whole(text: string): string {
  return /^v?\d+(?:\.\d+)?$/.test(text) ? `${text}${text.includes(".") ? "" : ".0"}.0` : text;
}
