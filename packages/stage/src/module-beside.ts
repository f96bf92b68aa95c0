// Finds a module that runs as a process or thread of its own, in a checkout and in a bundle alike.
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of the module `name` beside the one whose import.meta.url is given: .ts in a checkout, .js in a bundle. */
export function moduleBeside(importMetaUrl: string, name: string): string {
  return fileURLToPath(new URL(`./${name}${extname(importMetaUrl)}`, importMetaUrl));
}
