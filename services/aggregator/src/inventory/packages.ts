// The packages that are installed on the host, used or not: their items follow what the databases say.
import { create } from "@bufbuild/protobuf";
import { PackageItemSchema, PackageSchema } from "@nightjar/proto";
import { databasesVersion, installedModules, installedPackages } from "@nightjar/software";
import type { Catalogue, Entry } from "./catalogue.ts";
import { bytesOf, itemId } from "./identity.ts";

/** What an item says of a package; texts have a character for each byte. */
interface Installed {
  manager: string;
  name: string;
  version: string;
  architecture: string;
  sourceName: string;
  sourceVersion: string;
  location: string;
}

/** How often the modules of languages are listed, of which nothing tells that they changed. */
export const MODULES_MS = 300_000;
const ROOT = "";

export class InstalledPackages {
  readonly #catalogue: Catalogue;
  readonly #rootPath: string;
  #version: string | undefined;
  #system: Installed[] = [];
  #modulesAtMs = Number.NEGATIVE_INFINITY;

  /** `rootPath` is where the host's files begin. */
  constructor(catalogue: Catalogue, rootPath = "/") {
    this.#catalogue = catalogue;
    this.#rootPath = rootPath;
  }

  /**
   * Lists them where something changed. Reads databases while the process waits: some 20 ms for dpkg's, at most a
   * second for a large one of rpm's. Returns what could not be read, as sentences.
   */
  look(nowMs: number): string[] {
    const version = databasesVersion(this.#rootPath);
    const isSame = version === this.#version;
    if (isSame && nowMs < this.#modulesAtMs + MODULES_MS) return [];
    let problems: string[] = [];
    if (!isSame) {
      const read = installedPackages(this.#rootPath);
      this.#system = read.packages.map(({ source, ...of }) => {
        return { ...of, sourceName: source?.name ?? "", sourceVersion: source?.version ?? "", location: "" };
      });
      problems = read.problems;
      this.#version = version;
    }
    this.#modulesAtMs = nowMs;
    this.#bringUpToDate([...this.#system, ...modulesIn(this.#rootPath)], nowMs);
    return problems;
  }

  #bringUpToDate(all: readonly Installed[], nowMs: number): void {
    const there = new Set<bigint>();
    for (const installed of all) {
      const { manager, name, architecture, location } = installed;
      const id = itemId("package", ROOT, manager, name, architecture, location);
      there.add(id);
      const known = this.#catalogue.get(id);
      const entry = this.#catalogue.see(id, { ms: nowMs, times: 0 }, () => {
        return { case: "package", value: create(PackageItemSchema) };
      });
      if (update(entry, installed) && known) this.#catalogue.change(entry);
    }
    const gone = [...this.#catalogue].filter(({ id, item }) => isHosts(item) && !there.has(id));
    for (const entry of gone) this.#catalogue.forget(entry);
  }
}

const isHosts = ({ what }: Entry["item"]): boolean => what.case === "package" && what.value.root === ROOT;

function modulesIn(rootPath: string): Installed[] {
  return installedModules(rootPath).map(({ component, path }) => {
    return { ...component, architecture: "", sourceName: "", sourceVersion: "", location: path };
  });
}

/** Whether the item says something else now. */
function update({ item: { what } }: Entry, installed: Installed): boolean {
  if (what.case !== "package") return false;
  const { manager, name, version, architecture, sourceName, sourceVersion, location } = installed;
  const { value } = what;
  if (value.package?.version === version && value.sourceVersion === sourceVersion) return false;
  value.package = create(PackageSchema, { manager, name, version, architecture });
  Object.assign(value, { sourceName, sourceVersion, location: bytesOf(location) });
  return true;
}
