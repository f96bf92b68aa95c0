// Reads who imports whom, and what ARCHITECTURE.md allows.
import { takeApart } from "./text.ts";
import { isScript, isTest, type TreeFile } from "./tree.ts";

export interface Import {
  path: string;
  /** The package the file belongs to, by its folder. */
  folder: string;
  specifier: string;
}

const IMPORT = /\bfrom\s*["']([^"'\n]+)["']|^\s*import\s*["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']/gm;

/** The specifiers a script imports, statically or not, in order. */
export function specifiersOf(text: string): string[] {
  return [...takeApart(text, "slashes").code.matchAll(IMPORT)].map(
    (match) => (match[1] ?? match[2] ?? match[3]) as string,
  );
}

/** The folders of all packages, the deepest first. */
export function packageFolders(tree: readonly TreeFile[]): string[] {
  const manifests = tree.filter(({ path }) => path.endsWith("/package.json"));
  return manifests.map(({ path }) => path.slice(0, -"/package.json".length)).sort((a, b) => b.length - a.length);
}

export function importsOf(tree: readonly TreeFile[]): Import[] {
  const folders = packageFolders(tree);
  return tree
    .filter(({ path }) => isScript(path))
    .flatMap(({ path, text }) => {
      const folder = folders.find((one) => path.startsWith(`${one}/`)) ?? "";
      return specifiersOf(text).map((specifier) => ({ path, folder, specifier }));
    });
}

export interface Row {
  folder: string;
  /** What the last column says, without its backquotes. */
  mayImport: string[];
}

/** The table in ARCHITECTURE.md under "## The tree". */
export function treeTable(architecture: string): Row[] {
  const section = architecture.split(/^## /m).find((one) => one.startsWith("The tree")) ?? "";
  return [...section.matchAll(/^\| `([^`|]+)\/` \|.*\| ([^|]+) \|$/gm)].map(([, folder, allowed]) => ({
    folder: folder as string,
    mayImport: (allowed as string).split(",").map((word) => word.trim().replaceAll("`", "")),
  }));
}

/** What one of the table's words stands for: folders of packages. */
function foldersMeant(word: string, rows: readonly Row[]): string[] {
  if (word === "nothing") return [];
  if (word === "all") return rows.map(({ folder }) => folder);
  const packages = rows.map(({ folder }) => folder).filter((folder) => folder.startsWith("packages/"));
  if (word === "packages") return ["proto", ...packages];
  return rows.map(({ folder }) => folder).filter((folder) => folder === word || folder === `packages/${word}`);
}

/** For tests, wherever they stand. */
const TEST_SUPPORT = "tests/support";

/**
 * Imports that the table does not allow. `names` gives the folder of a package by its name. A stage's code is nobody's
 * to import, whatever the table says: stages are started, not imported.
 */
export function forbiddenImports(
  imports: readonly Import[],
  rows: readonly Row[],
  names: ReadonlyMap<string, string>,
): Import[] {
  return imports.filter(({ path, folder, specifier }) => {
    const target = names.get(specifier.split("/").slice(0, 2).join("/"));
    if (target === undefined || target === folder) return false;
    // A benchmark starts databases and processes as a test does.
    if (target === TEST_SUPPORT) return !isTest(path) && !path.startsWith("bench/");
    if (target.startsWith("services/")) return true;
    const row = rows.find((one) => folder === one.folder || folder.startsWith(`${one.folder}/`));
    return !row?.mayImport.some((word) => foldersMeant(word, rows).includes(target));
  });
}

/** Relative imports that leave the package they are written in. */
export function leavingImports(imports: readonly Import[]): Import[] {
  return imports.filter(({ path, folder, specifier }) => {
    if (!specifier.startsWith(".")) return false;
    const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
    return folder !== "" && !target.startsWith(`${folder}/`);
  });
}

/** Imports of Node's own modules by a package that must run in a browser; its tests may. */
export function impureImports(imports: readonly Import[], pureFolders: readonly string[]): Import[] {
  return imports.filter(
    ({ path, folder, specifier }) =>
      specifier.startsWith("node:") &&
      pureFolders.includes(folder) &&
      path.includes("/src/") &&
      !path.endsWith(".test.ts"),
  );
}
