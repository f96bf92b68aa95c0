// Which of OSV's ecosystems a package of a host belongs to, and how it is called there.

export interface Distribution {
  /** ID and VERSION_ID of os-release(5). */
  id: string;
  version: string;
}

/** Of a package as the inventory has it. */
export interface NamedPackage {
  manager: string;
  name: string;
  version: string;
  sourceName: string;
  sourceVersion: string;
}

/** What to look for among advisories. */
export interface Subject {
  /** As `ecosystemKey` gives it of an advisory's. */
  ecosystem: string;
  name: string;
  version: string;
}

const major = (version: string): string => version.split(".", 1)[0] ?? "";
const minor = (version: string): string => version.split(".").slice(0, 2).join(".");

/** By os-release's ID: the ecosystem of a release. Debian's testing and unstable have no VERSION_ID and no feed. */
const DISTRIBUTIONS: Readonly<Record<string, (version: string) => string>> = {
  debian: (version) => (version === "" ? "" : `Debian:${major(version)}`),
  ubuntu: (version) => `Ubuntu:${version}`,
  alpine: (version) => `Alpine:v${minor(version)}`,
  wolfi: () => "Wolfi",
  chainguard: () => "Chainguard",
  almalinux: (version) => `AlmaLinux:${major(version)}`,
  rocky: (version) => `Rocky Linux:${major(version)}`,
  "opensuse-leap": (version) => `openSUSE:Leap ${version}`,
};

/** By manager: the ecosystem of a language. */
const LANGUAGES: Readonly<Record<string, string>> = { pypi: "PyPI", npm: "npm", go: "Go", cargo: "crates.io" };

const SYSTEMS: ReadonlySet<string> = new Set(["dpkg", "rpm", "apk"]);
/** Those whose advisories name source packages. */
const BY_SOURCE: ReadonlySet<string> = new Set(["dpkg", "apk"]);

/** Undefined where no feed is known for it. */
export function subjectOf(found: NamedPackage, distribution: Distribution | undefined): Subject | undefined {
  const language = LANGUAGES[found.manager];
  if (language) return { ecosystem: language, name: nameOf(language, found.name), version: found.version };
  const ecosystem = distribution && DISTRIBUTIONS[distribution.id]?.(distribution.version);
  if (!ecosystem || !SYSTEMS.has(found.manager)) return undefined;
  if (!BY_SOURCE.has(found.manager)) return { ecosystem, name: found.name, version: found.version };
  const { sourceName, sourceVersion } = found;
  return { ecosystem, name: sourceName || found.name, version: sourceVersion || found.version };
}

/**
 * An advisory's ecosystem as packages are looked for: its name and its release. What else is said of it is left out
 * ("Ubuntu:22.04:LTS"), but for "Ubuntu:Pro:…", whose packages are others.
 */
export function ecosystemKey(ecosystem: string): string {
  return ecosystem.split(":").slice(0, 2).join(":");
}

/** A package's name in the one form that its ecosystem has; only Python has several (PEP 503). */
export function nameOf(ecosystem: string, name: string): string {
  return ecosystem === "PyPI" ? name.toLowerCase().replaceAll(/[-_.]+/g, "-") : name;
}
