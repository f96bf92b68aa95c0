// Which package owns a file, asked of the databases in a root folder. Databases are read when first asked and again
// when they changed; containers of one image share what was read.
import { Aliases } from "./aliases.ts";
import { apk } from "./apk.ts";
import type { DatabaseFormat, Package, Sink } from "./database.ts";
import { dpkg } from "./dpkg.ts";
import { PathIndex } from "./path-index.ts";
import { RootFolder } from "./root/root-folder.ts";
import { rpm } from "./rpm/rpm.ts";

/** The managers that are known, a row each. */
const FORMATS: readonly DatabaseFormat[] = [dpkg, rpm, apk];

export interface SoftwareLimits {
  /** Files of one root folder; what is beyond has no owner, and a problem says so. */
  filesOfRoot: number;
  /** Bytes of all that is kept; what was asked for longest ago goes first. */
  bytes: number;
  /**
   * Share of the time that may be spent on reading again what changes all the time, as while a system is upgraded.
   * Until then the answers are those of the last reading.
   */
  rereadShare: number;
}

/** A million files take 25 MB. */
export const SOFTWARE_LIMITS: SoftwareLimits = { filesOfRoot: 4_000_000, bytes: 128 * 1024 * 1024, rereadShare: 0.05 };

/** Databases are looked at for a change at most this often. */
export const LOOK_MS = 1_000;

/** Packages of one root folder that are listed; whole distributions have some 60,000. */
const INSTALLED_MAX = 100_000;

/** What is known of a file: its package; that none has it; or that there is no database to ask. */
export type Owner = { known: "package"; package: Package } | { known: "no_package" } | { known: "no_database" };

/** What was read of one state of one root folder's databases. */
interface Contents {
  version: string;
  paths: PathIndex;
  packages: Package[];
  /** All of them, with files or without. */
  installed: Package[];
  hasDatabase: boolean;
  problems: readonly string[];
}

/** When a root folder was read last, and how long that took; and when it was last looked at for a change. */
interface Reading {
  contents: Contents;
  at: number;
  tookMs: number;
  lookedAt: number;
}

export class Software {
  readonly counts = { readings: 0, shared: 0, forgotten: 0 };
  readonly #limits: SoftwareLimits;
  readonly #now: () => number;
  /** By root folder as it was named; the one asked for last at the end. */
  readonly #readings = new Map<string, Reading>();

  /** `now` gives a time in ms that only grows. */
  constructor(limits: SoftwareLimits = SOFTWARE_LIMITS, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * The owner of a file. `path` is absolute in the root folder, a character for each byte ("latin1"), and as the
   * kernel tells it: without links. `identity` names the root folder where `rootPath` may mean another one later, as
   * /proc/PID/root does.
   */
  owner(path: string, rootPath: string, identity = rootPath): Owner {
    const { paths, packages, hasDatabase } = this.#contents(rootPath, identity);
    const found = paths.get(path);
    if (found !== undefined) return { known: "package", package: packages[found] as Package };
    return { known: hasDatabase ? "no_package" : "no_database" };
  }

  /**
   * All packages that are installed in a root folder, each architecture by itself; undefined where there is no
   * database. `identity` as for `owner`. As long as nothing changed it is the same array.
   */
  installed(rootPath: string, identity = rootPath): readonly Package[] | undefined {
    const { installed, hasDatabase } = this.#contents(rootPath, identity);
    return hasDatabase ? installed : undefined;
  }

  /** What could not be read, for a health issue; each once. */
  get problems(): string[] {
    return [...new Set([...this.#readings.values()].flatMap(({ contents }) => contents.problems))];
  }

  /** Bytes of what is kept. */
  get bytes(): number {
    const all = new Set([...this.#readings.values()].map(({ contents }) => contents.paths));
    return [...all].reduce((sum, paths) => sum + paths.bytes, 0);
  }

  #contents(rootPath: string, identity: string): Contents {
    const known = this.#readings.get(identity);
    const now = this.#now();
    const reading = known && now < known.lookedAt + LOOK_MS ? known : this.#look(rootPath, known, now);
    this.#readings.delete(identity);
    this.#readings.set(identity, reading);
    if (reading !== known) this.#forget(identity);
    return reading.contents;
  }

  /** Looks for a change, and reads again where there is one and it is time to. */
  #look(rootPath: string, known: Reading | undefined, now: number): Reading {
    const root = new RootFolder(rootPath);
    const aliases = new Aliases(root);
    const version = versionOf(root, aliases);
    const isEarly = known !== undefined && now < known.at + known.tookMs / this.#limits.rereadShare;
    if (!known || (known.contents.version !== version && !isEarly)) return this.#read(root, aliases, version);
    known.lookedAt = now;
    return known;
  }

  #read(root: RootFolder, aliases: Aliases, version: string): Reading {
    const start = this.#now();
    const same = [...this.#readings.values()].find(({ contents }) => contents.version === version);
    if (same) {
      this.counts.shared++;
      return { ...same, lookedAt: start };
    }
    this.counts.readings++;
    const contents = readContents(root, aliases, version, this.#limits.filesOfRoot);
    const at = this.#now();
    return { contents, at, tookMs: at - start, lookedAt: at };
  }

  #forget(kept: string): void {
    for (const identity of this.#readings.keys()) {
      if (identity === kept || this.bytes <= this.#limits.bytes) return;
      this.#readings.delete(identity);
      this.counts.forgotten++;
    }
  }
}

/** What changes when a root folder's databases do; the same text for the same state, "" where there is none. */
export function databasesVersion(rootPath: string): string {
  const root = new RootFolder(rootPath);
  return FORMATS.flatMap(({ watched }) => watched.map((path) => root.version(path)))
    .filter(Boolean)
    .join("\n");
}

/** The packages that are installed, without reading which files they have. */
export function installedPackages(rootPath: string): { packages: Package[]; problems: string[] } {
  const root = new RootFolder(rootPath);
  const packages: Package[] = [];
  const sink: Sink = { installed: (found) => void (packages.length < INSTALLED_MAX && packages.push(found)) };
  const problems = FORMATS.flatMap((format) => format.read(root, sink).map((one) => `${format.manager}: ${one}`));
  return { packages, problems };
}

/** The same text for databases in the same state. */
function versionOf(root: RootFolder, aliases: Aliases): string {
  return [aliases.version, ...FORMATS.flatMap(({ watched }) => watched.map((path) => root.version(path)))].join("\n");
}

function readContents(root: RootFolder, aliases: Aliases, version: string, filesMax: number): Contents {
  const paths = new PathIndex();
  const packages: Package[] = [];
  const problems: string[] = [];
  let latest: Package | undefined;
  const installed: Package[] = [];
  const sink: Sink = {
    installed: (found) => void (installed.length < INSTALLED_MAX && installed.push(found)),
    file(path, owner) {
      if (owner !== latest) packages.push(owner);
      latest = owner;
      if (paths.size < filesMax) paths.add(aliases.canonical(path), packages.length - 1);
    },
  };
  const there = FORMATS.filter(({ watched }) => watched.some((path) => root.version(path) !== ""));
  for (const format of there) {
    for (const problem of format.read(root, sink)) problems.push(`${format.manager}: ${problem}`);
  }
  if (paths.size >= filesMax) problems.push(`packages have more than ${filesMax} files: the others have no owner`);
  if (installed.length >= INSTALLED_MAX)
    problems.push(`more than ${INSTALLED_MAX} packages: the others are not listed`);
  return { version, paths, packages, installed, hasDatabase: there.length > 0, problems };
}
