// An SBOM of the running system in CycloneDX's JSON, version 1.6: the packages that running programs have loaded.
import { type InventoryItem, type Package, Replacement } from "@nightjar/proto";
import { type Distribution, Host } from "@nightjar/vulnerabilities";
import { PackageURL } from "packageurl-js";
import { utf8 } from "../show/text.ts";

/** Occurrences of one component: it is loaded from more files, and those are many. */
const OCCURRENCES_MAX = 64;

export interface BomOptions {
  hostName: string;
  sensorVersion: string;
  serialNumber: string;
  now: Date;
  /** What is installed and not loaded, too. */
  withInstalled: boolean;
}

interface Found {
  root: string;
  package: Package;
  isLoaded: boolean;
  isExecuted: boolean;
  isReplaced: boolean;
  paths: Set<string>;
}

export function cyclonedx(items: readonly InventoryItem[], options: BomOptions): Record<string, unknown> {
  const host = new Host(items);
  const found = packagesOf(host, options.withInstalled);
  const system = host.distribution("");
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${options.serialNumber}`,
    version: 1,
    metadata: {
      timestamp: options.now.toISOString(),
      lifecycles: [{ phase: "operations" }],
      tools: { components: [{ type: "application", name: "nightjar", version: options.sensorVersion }] },
      component: { type: "device", "bom-ref": "host", name: options.hostName },
    },
    components: [
      ...(system?.id ? [systemComponent(system)] : []),
      ...[...found.values()].map((one) => componentOf(one, host.distribution(one.root))).sort(byRef),
    ],
  };
}

function packagesOf(host: Host, withInstalled: boolean): Map<string, Found> {
  const found = new Map<string, Found>();
  const note = (root: string, of: Package | undefined, path: Uint8Array, isLoaded: boolean): Found | undefined => {
    if (!of || of.name === "" || (!isLoaded && !withInstalled)) return undefined;
    const key = [root, of.manager, of.name, of.version, of.architecture].join("\0");
    const empty = {
      root,
      package: of,
      isLoaded: false,
      isExecuted: false,
      isReplaced: false,
      paths: new Set<string>(),
    };
    const one = found.get(key) ?? empty;
    one.isLoaded ||= isLoaded;
    if (path.length > 0 && one.paths.size < OCCURRENCES_MAX) one.paths.add(utf8(path));
    found.set(key, one);
    return one;
  };
  for (const { id, item } of host.files) {
    const isLoaded = host.users(id).length > 0;
    for (const of of [item.contents?.package, ...item.components]) {
      const one = note(item.root, of, item.path, isLoaded);
      if (one && isLoaded) one.isReplaced ||= item.replacement !== Replacement.UNSPECIFIED;
      if (one) one.isExecuted ||= item.executed;
    }
  }
  for (const { id, item } of host.modules) note(item.root, item.package, item.path, host.users(id).length > 0);
  for (const { root, package: of, location } of host.packages) note(root, of, location, false);
  return found;
}

const systemComponent = ({ id, version }: Distribution) => ({
  type: "operating-system",
  "bom-ref": `os:${id}@${version}`,
  name: id,
  ...(version !== "" && { version }),
});

function componentOf({ root, package: of, isLoaded, isExecuted, isReplaced, paths }: Found, system?: Distribution) {
  const purl = purlOf(of, system);
  return {
    type: isExecuted ? "application" : "library",
    // One package may be on the host and in several images.
    "bom-ref": [root, purl ?? `${of.manager}:${of.name}@${of.version}:${of.architecture}`].filter(Boolean).join("#"),
    name: of.name,
    ...(of.version !== "" && { version: of.version }),
    ...(purl && { purl }),
    properties: [
      { name: "nightjar:loaded", value: String(isLoaded) },
      ...(root === "" ? [] : [{ name: "nightjar:root", value: root }]),
      ...(isReplaced ? [{ name: "nightjar:replaced-on-disk", value: "true" }] : []),
    ],
    ...(paths.size > 0 && { evidence: { occurrences: [...paths].sort().map((location) => ({ location })) } }),
  };
}

/** A package's namespace and name from how its manager names it. */
type Split = (name: string, system: Distribution | undefined) => readonly [namespace: string | undefined, name: string];
const ofSystem: Split = (name, system) => [system?.id || undefined, name];
const behind =
  (separator: string): Split =>
  (name) => {
    const at = name.lastIndexOf(separator);
    return at < 0 ? [undefined, name] : [name.slice(0, at), name.slice(at + 1)];
  };

/** By manager: the type of package URL, and how a name is divided (purl-spec, PURL-TYPES). */
const TYPES: Readonly<Record<string, readonly [type: string, split: Split]>> = {
  dpkg: ["deb", ofSystem],
  rpm: ["rpm", ofSystem],
  apk: ["apk", ofSystem],
  npm: ["npm", behind("/")],
  go: ["golang", behind("/")],
  maven: ["maven", behind(":")],
  pypi: ["pypi", (name) => [undefined, name]],
  cargo: ["cargo", (name) => [undefined, name]],
  gem: ["gem", (name) => [undefined, name]],
};

/** Undefined for what has none. */
function purlOf(
  { manager, name, version, architecture }: Package,
  system: Distribution | undefined,
): string | undefined {
  const [type, split] = TYPES[manager] ?? [];
  if (!type || !split) return undefined;
  const [namespace, rest] = split(name, system);
  const isSystem = split === ofSystem;
  const qualifiers = isSystem && {
    ...(architecture !== "" && { arch: architecture }),
    ...(system?.id && system.version && { distro: `${system.id}-${system.version}` }),
  };
  try {
    return new PackageURL(type, namespace, rest, version || undefined, qualifiers || undefined, undefined).toString();
  } catch {
    // Maven without a group, and names that no package may have.
    return undefined;
  }
}

const byRef = (one: { "bom-ref": string }, other: { "bom-ref": string }): number =>
  one["bom-ref"] < other["bom-ref"] ? -1 : 1;
