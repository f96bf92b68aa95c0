// Node's packages: folders below node_modules with a package.json.
import type { RootFolder } from "../root/root-folder.ts";
import type { Language, Module } from "./modules.ts";

/** A package's folder: the last node_modules in the path and the name after it, "@scope/name" too. */
const FOLDER = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/@][^/]*)(?:\/|$)/s;
/** Where npm install --global puts them. */
const GLOBAL = ["/usr/lib/node_modules", "/usr/local/lib/node_modules", "/usr/share/nodejs"];
const MANIFEST_BYTES_MAX = 1024 * 1024;

export const nodeLanguage: Language = {
  moduleOf(root, path) {
    const folder = FOLDER.exec(path)?.[1];
    return folder === undefined ? undefined : moduleIn(root, folder);
  },
  installed: (root) => GLOBAL.flatMap((folder) => modulesBelow(root, folder)),
};

function modulesBelow(root: RootFolder, folder: string): Module[] {
  const names = root
    .names(folder)
    .flatMap((name) =>
      name.startsWith("@") ? root.names(`${folder}/${name}`).map((one) => `${name}/${one}`) : [name],
    );
  return names.flatMap((name) => {
    if (name.startsWith(".")) return [];
    const path = `${folder}/${name}`;
    const found = moduleIn(root, path);
    // What a package needs for itself alone lies below it.
    return found ? [found, ...modulesBelow(root, `${path}/node_modules`)] : [];
  });
}

function moduleIn(root: RootFolder, folder: string): Module | undefined {
  let manifest: { name?: unknown; version?: unknown } | null;
  try {
    manifest = JSON.parse(root.read(`${folder}/package.json`, MANIFEST_BYTES_MAX)?.toString() ?? "null");
  } catch {
    return undefined;
  }
  const { name, version } = manifest ?? {};
  if (typeof name !== "string" || typeof version !== "string" || name === "" || version === "") return undefined;
  return { language: "node", path: folder, component: { manager: "npm", name, version } };
}
