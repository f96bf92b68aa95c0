// What of a host an advisory could be about: each package in a version that is installed or runs, and who has it
// loaded.
import { create } from "@bufbuild/protobuf";
import { type Package, type PackageItem, PackageSchema, type ProgramItem } from "@nightjar/proto";
import { type NamedPackage, type Subject, subjectOf } from "../ecosystems.ts";
import type { Host } from "./host.ts";

/** A program that has it loaded, and by which file or module. */
export interface Use {
  program: ProgramItem;
  path: Uint8Array;
}

export interface Candidate {
  root: string;
  package: Package;
  subject: Subject;
  /** It is what is installed now; else an older one that a process still runs. */
  isInstalled: boolean;
  uses: Use[];
  paths: Uint8Array[];
}

/** Where distributions put the modules of languages that they package themselves, and tell of themselves. */
const OF_DISTRIBUTIONS = ["/usr/lib/python3/dist-packages/", "/usr/share/nodejs/"];
/** A package built again from the same source; Debian's binNMU. */
const REBUILT = /\+b\d+$/;

/** All of a host's, each package and version of a root once. */
export function candidatesOf(host: Host): Candidate[] {
  const found = new Candidates(host);
  for (const item of host.packages) if (!isDistributions(item)) found.installed(item);
  for (const { id, item } of host.files) {
    const { contents, components, root, path } = item;
    const uses = host.users(id).map((program) => ({ program, path }));
    if (contents?.package) {
      if (uses.length > 0) found.used(root, contents.package, path, uses);
      // What it is made of is told by the advisories of whoever packaged it.
      continue;
    }
    for (const component of components) found.used(root, component, path, uses);
  }
  for (const { id, item } of host.modules) {
    if (!item.package || item.owner) continue;
    const uses = host.users(id).map((program) => ({ program, path: item.path }));
    found.used(item.root, item.package, item.path, uses);
  }
  return found.all();
}

function isDistributions({ location }: PackageItem): boolean {
  const path = Buffer.from(location).toString("latin1");
  return OF_DISTRIBUTIONS.some((folder) => path.startsWith(folder));
}

class Candidates {
  readonly #host: Host;
  readonly #byKey = new Map<string, Candidate>();
  /** By root, manager and name. */
  readonly #installed = new Map<string, PackageItem>();

  constructor(host: Host) {
    this.#host = host;
  }

  installed(item: PackageItem): void {
    if (!item.package) return;
    this.#installed.set(nameKey(item.root, item.package), item);
    this.#add(item.root, item.package, item, true)?.paths.push(...(item.location.length > 0 ? [item.location] : []));
  }

  /** A file or module of a package, in the version that it had when it was loaded. */
  used(root: string, owner: Package, path: Uint8Array, uses: readonly Use[]): void {
    const known = this.#installed.get(nameKey(root, owner));
    const candidate = this.#add(root, owner, known, known === undefined || known.package?.version === owner.version);
    candidate?.uses.push(...uses);
    candidate?.paths.push(path);
  }

  all(): Candidate[] {
    return [...this.#byKey.values()];
  }

  #add(root: string, of: Package, item: PackageItem | undefined, isInstalled: boolean): Candidate | undefined {
    const key = `${nameKey(root, of)}\0${of.version}`;
    const known = this.#byKey.get(key);
    if (known) return known;
    const subject = subjectOf(namedOf(of, item), this.#host.distribution(root));
    if (!subject) return undefined;
    const { manager, name, version, architecture } = of;
    const named = create(PackageSchema, { manager, name, version, architecture });
    const candidate: Candidate = { root, package: named, subject, isInstalled, uses: [], paths: [] };
    this.#byKey.set(key, candidate);
    return candidate;
  }
}

const nameKey = (root: string, { manager, name }: Package): string => `${root}\0${manager}\0${name}`;

/** Of an older version only the package's own is known; the source's is the same but for what a rebuild adds. */
function namedOf({ manager, name, version }: Package, item: PackageItem | undefined): NamedPackage {
  const sourceName = item?.sourceName ?? "";
  const isItem = item?.package?.version === version;
  const sourceVersion = isItem ? item.sourceVersion : version.replace(REBUILT, "");
  return { manager, name, version, sourceName, sourceVersion };
}
