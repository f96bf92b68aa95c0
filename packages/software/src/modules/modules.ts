// Whose a file of an interpreted program is: the package of Python or Node that it lies in, told from the metadata
// beside it; and which packages lie in the folders where a distribution has them.
import type { Component } from "../components/component.ts";
import { RootFolder } from "../root/root-folder.ts";
import { nodeLanguage } from "./node.ts";
import { pythonLanguage } from "./python.ts";

/** A package of a language and where it lies. */
export interface Module {
  /** As the inventory calls it. */
  language: "python" | "node";
  /** Its folder or file, absolute in the root folder, a character for each byte. */
  path: string;
  component: Component;
}

export interface Language {
  /** The module a file belongs to; undefined where the path is no module's or there is no metadata. */
  moduleOf(root: RootFolder, path: string): Module | undefined;
  /** The modules in the folders where this root folder has them for all programs. */
  installed(root: RootFolder): Module[];
}

const LANGUAGES: readonly Language[] = [pythonLanguage, nodeLanguage];

/** `path` is absolute in the root folder and without links, a character for each byte. */
export function moduleOf(rootPath: string, path: string): Module | undefined {
  const root = new RootFolder(rootPath);
  for (const language of LANGUAGES) {
    const found = language.moduleOf(root, path);
    if (found) return found;
  }
  return undefined;
}

/** Modules installed for all programs of a root folder, used or not. Reads many small files: for threads that may. */
export function installedModules(rootPath: string): Module[] {
  const root = new RootFolder(rootPath);
  return LANGUAGES.flatMap((language) => language.installed(root));
}
