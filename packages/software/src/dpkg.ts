// Reads dpkg's database: dpkg-query(1), dpkg-divert(1); and that of distroless images, which is a part of it.
import { attempt, DATABASE_BYTES_MAX, type DatabaseFormat, type Package, type Sink } from "./database.ts";
import type { RootFolder } from "./root/root-folder.ts";
import { field, stanzas } from "./stanzas.ts";

const FOLDER = "/var/lib/dpkg";
const STATUS = `${FOLDER}/status`;
/** Stanzas that dpkg has not merged into `status` yet, in files named by ascending numbers. */
const UPDATES = `${FOLDER}/updates`;
/** Instead of `status`, where an image was made without dpkg: a file a package. */
const STATUS_PARTS = `${FOLDER}/status.d`;
const INFO = `${FOLDER}/info`;
const DIVERSIONS = `${FOLDER}/diversions`;
const SUMS_ENDING = ".md5sums";
/** "<32 hex digits>  usr/bin/x" */
const SUM_PATH_AT = 34;

/** The file that packages other than `by` think to have at a path is at `to`. */
interface Diversion {
  to: string;
  by: string;
}

export const dpkg: DatabaseFormat = {
  manager: "dpkg",
  watched: [STATUS, UPDATES, STATUS_PARTS, INFO, DIVERSIONS],
  read(root, sink) {
    const problems: string[] = [];
    const packages = readPackages(root, problems, sink);
    readParts(root, problems, sink);
    if (!sink.file) return problems;
    const diversions = attempt(problems, () => readDiversions(root)) ?? new Map<string, Diversion>();
    for (const file of root.names(INFO)) {
      if (!file.endsWith(".list")) continue;
      // "name:arch" where it is "Multi-Arch: same", else the name alone.
      const name = file.slice(0, -".list".length);
      const owner = packages.get(name);
      if (!owner) continue;
      const list = attempt(problems, () => root.readText(`${INFO}/${file}`, DATABASE_BYTES_MAX));
      addFiles(list ?? "", owner, diversions, sink);
    }
    return problems;
  },
};

/** By name, and by name:architecture. Of a name with several architectures the first is meant. */
function readPackages(root: RootFolder, problems: string[], sink: Sink): Map<string, Package> {
  const packages = new Map<string, Package>();
  const updates = root.names(UPDATES).filter((name) => /^\d+$/.test(name));
  const files = [
    ...updates
      .sort()
      .reverse()
      .map((name) => `${UPDATES}/${name}`),
    STATUS,
  ];
  for (const file of files) {
    const text = attempt(problems, () => root.readText(file, DATABASE_BYTES_MAX)) ?? "";
    for (const stanza of stanzas(text)) {
      const found = packageOf(stanza);
      const both = `${found.name}:${found.architecture}`;
      // What was written later comes first.
      if (!packages.has(both)) {
        packages.set(both, found);
        if (isInstalled(stanza)) sink.installed(found);
      }
      if (!packages.has(found.name)) packages.set(found.name, found);
    }
  }
  return packages;
}

function packageOf(stanza: string): Package {
  const [name, version] = [field(stanza, "Package"), field(stanza, "Version")];
  const found: Package = { manager: "dpkg", name, version, architecture: field(stanza, "Architecture") };
  // "Source: glibc" or "Source: gcc-defaults (1.203)"; deb-control(5).
  const [, source, sourceVersion = version] = /^(\S+)(?: \((.+)\))?$/.exec(field(stanza, "Source")) ?? [];
  if (source !== undefined) found.source = { name: source, version: sourceVersion };
  return found;
}

/** Not removed but for its configuration; images made without dpkg say nothing of it. */
function isInstalled(stanza: string): boolean {
  const status = field(stanza, "Status");
  return status === "" || !/ (?:config-files|not-installed)$/.test(status);
}

/** Three lines each: the path, where it is diverted to, and by which package, ":" by the administrator. */
function readDiversions(root: RootFolder): Map<string, Diversion> {
  const lines = (root.readText(DIVERSIONS, DATABASE_BYTES_MAX) ?? "").split("\n");
  const diversions = new Map<string, Diversion>();
  for (let at = 0; at + 2 < lines.length; at += 3) {
    diversions.set(lines[at] as string, { to: lines[at + 1] as string, by: lines[at + 2] as string });
  }
  return diversions;
}

function addFiles(list: string, owner: Package, diversions: Map<string, Diversion>, sink: Sink): void {
  for (let start = 0, end = 0; end >= 0 && start < list.length; start = end + 1) {
    end = list.indexOf("\n", start);
    const path = list.slice(start, end < 0 ? undefined : end);
    // Folders stand before what is in them, and belong to many.
    if (path === "/." || (end >= 0 && list.startsWith(`${path}/`, end + 1))) continue;
    const diversion = diversions.get(path);
    sink.file?.(diversion && diversion.by !== owner.name ? diversion.to : path, owner);
  }
}

/** Of distroless images: the files stand in the list of their sums. */
function readParts(root: RootFolder, problems: string[], sink: Sink): void {
  for (const name of root.names(STATUS_PARTS)) {
    if (name.endsWith(SUMS_ENDING)) continue;
    const read = (file: string) =>
      attempt(problems, () => root.readText(`${STATUS_PARTS}/${file}`, DATABASE_BYTES_MAX)) ?? "";
    const owner = packageOf(read(name));
    if (owner.name === "") continue;
    sink.installed(owner);
    for (const line of read(`${name}${SUMS_ENDING}`).split("\n")) {
      if (line.length > SUM_PATH_AT) sink.file?.(`/${line.slice(SUM_PATH_AT)}`, owner);
    }
  }
}
