// Python's packages: modules in site-packages, and the metadata beside them (PEP 376, PEP 427; setuptools' egg-info).
import type { RootFolder } from "../root/root-folder.ts";
import type { Language, Module } from "./modules.ts";

/** The folder of modules, and the first part of the path below it: a package's folder or a module's file. */
const PLACE = /^(.*\/(?:site|dist)-packages)\/([^/]+)/s;
/** Where distributions and pip have them for all programs. */
const LIBRARIES = ["/usr/lib", "/usr/local/lib", "/usr/lib64", "/usr/local/lib64"];
const SITES = ["dist-packages", "site-packages"];
const METADATA_BYTES_MAX = 1024 * 1024;
const RECORD_BYTES_MAX = 16 * 1024 * 1024;
/** Folders whose modules are remembered; what was asked for longest ago goes first. */
const SITES_KEPT = 64;

/** What is beside the modules in one folder, by the names that programs import. */
interface Site {
  /** Those that a name may belong to: several share one where it is a namespace. */
  byName: Map<string, Distribution[]>;
  all: Distribution[];
}

interface Distribution {
  module: Module;
  /** The file that lists what belongs to it; "" where there is none. */
  record: string;
}

const sites = new Map<string, Site>();

export const pythonLanguage: Language = {
  moduleOf(root, path) {
    const [, folder, first] = PLACE.exec(path) ?? [];
    if (folder === undefined || first === undefined) return undefined;
    const found = siteAt(root, folder).byName.get(importedName(first)) ?? [];
    if (found.length <= 1) return found[0]?.module;
    const relative = path.slice(folder.length + 1);
    return found.find(({ record }) => lists(root, record, relative))?.module;
  },
  installed(root) {
    const folders = LIBRARIES.flatMap((library) =>
      root
        .names(library)
        .filter((name) => /^python3(?:\.\d+)?$/.test(name))
        .flatMap((name) => SITES.map((site) => `${library}/${name}/${site}`)),
    );
    return folders.flatMap((folder) => siteAt(root, folder).all.map(({ module }) => module));
  },
};

/** "yaml" of the folder, "six" of "six.py", "_cffi_backend" of "_cffi_backend.cpython-311-x86_64-linux-gnu.so". */
const importedName = (first: string): string => first.replace(/\..*$/s, "");

/** A folder's version tells it from any other folder's, in another root folder too: its inode is a part of it. */
function siteAt(root: RootFolder, folder: string): Site {
  const version = root.version(folder);
  const key = `${folder} ${version}`;
  const known = sites.get(key);
  const site = known ?? readSite(root, folder);
  sites.delete(key);
  sites.set(key, site);
  if (sites.size > SITES_KEPT) sites.delete(sites.keys().next().value as string);
  return site;
}

function readSite(root: RootFolder, folder: string): Site {
  const site: Site = { byName: new Map(), all: [] };
  for (const name of root.names(folder)) {
    if (!/\.(?:dist|egg)-info$/.test(name)) continue;
    const found = distributionOf(root, `${folder}/${name}`);
    if (!found) continue;
    site.all.push(found);
    for (const imported of namesOf(root, `${folder}/${name}`, found)) {
      site.byName.set(imported, [...(site.byName.get(imported) ?? []), found]);
    }
  }
  return site;
}

function distributionOf(root: RootFolder, path: string): Distribution | undefined {
  // An egg-info may be a file, which is then the metadata itself.
  const text = ["/METADATA", "/PKG-INFO", ""]
    .map((name) => textOf(root, path + name, METADATA_BYTES_MAX))
    .find(Boolean);
  const header = (text ?? "").split(/\r?\n\r?\n/, 1)[0] ?? "";
  const value = (key: string) => new RegExp(`^${key}:[ \\t]*(.*?)\\r?$`, "im").exec(header)?.[1] ?? "";
  const [name, version] = [value("Name"), value("Version")];
  if (name === "" || version === "") return undefined;
  const module = { language: "python", path, component: { manager: "pypi", name, version } } as const;
  return { module, record: root.version(`${path}/RECORD`) === "" ? "" : `${path}/RECORD` };
}

/** What it calls its modules; by its list of files where it does not say, by its own name where there is none. */
function namesOf(root: RootFolder, path: string, { module, record }: Distribution): Set<string> {
  const said = textOf(root, `${path}/top_level.txt`, METADATA_BYTES_MAX) ?? "";
  const names = said.split(/\s+/).filter(Boolean);
  if (names.length > 0) return new Set(names);
  const files = recordedFiles(textOf(root, record, RECORD_BYTES_MAX) ?? "").map(
    (file) => file.split("/", 1)[0] as string,
  );
  const tops = files.filter((file) => !/^\.\.$|-info$/.test(file)).map(importedName);
  return new Set(tops.length > 0 ? tops : [module.component.name.replaceAll(/[-.]/g, "_")]);
}

function lists(root: RootFolder, record: string, file: string): boolean {
  return recordedFiles(textOf(root, record, RECORD_BYTES_MAX) ?? "").includes(file);
}

/** Lines of CSV; the path is quoted where it has a comma. */
function recordedFiles(text: string): string[] {
  return text
    .split(/\r?\n/)
    .filter(Boolean)
    .map((line) => /^"((?:[^"]|"")*)"/.exec(line)?.[1]?.replaceAll('""', '"') ?? line.slice(0, line.indexOf(",")));
}

function textOf(root: RootFolder, path: string, bytesMax: number): string | undefined {
  if (path === "") return undefined;
  try {
    return root.read(path, bytesMax)?.toString();
  } catch {
    return undefined;
  }
}
