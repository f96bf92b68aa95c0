// Which order the versions of an ecosystem have: a row each.
import { apk } from "./apk.ts";
import { dpkg } from "./dpkg.ts";
import { pep440 } from "./pep440.ts";
import { rpm } from "./rpm.ts";
import { semantic } from "./semantic.ts";

export interface VersionOrder {
  /** Whether it is a version as this order writes them. */
  isVersion(text: string): boolean;
  /** Below 0 where the first is earlier, above where it is later, 0 where they are the same. Of versions only. */
  compare(one: string, other: string): number;
}

/**
 * The ecosystems of OSV's schema (https://ossf.github.io/osv-schema/#affectedpackage-field) whose versions have an
 * order here; a release as in "Debian:12" is left out.
 */
const ORDERS = {
  Debian: dpkg,
  Ubuntu: dpkg,
  Alpine: apk,
  Wolfi: apk,
  Chainguard: apk,
  "Red Hat": rpm,
  AlmaLinux: rpm,
  "Rocky Linux": rpm,
  SUSE: rpm,
  openSUSE: rpm,
  npm: semantic,
  Go: semantic,
  "crates.io": semantic,
  PyPI: pep440,
} as const satisfies Record<string, VersionOrder>;

export type EcosystemName = keyof typeof ORDERS;

/** The order of an ecosystem such as "npm" or "Debian:12"; undefined where none is known here. */
export function orderOf(ecosystem: string): VersionOrder | undefined {
  const [name = ""] = ecosystem.split(":", 1);
  return Object.hasOwn(ORDERS, name) ? ORDERS[name as EcosystemName] : undefined;
}
