// Folders that are links to others, as /lib to /usr/lib: packages name files by either, the kernel by one.
import type { RootFolder } from "./root/root-folder.ts";

/**
 * The folders that distributions have merged: into /usr (Debian's UsrMerge, Fedora's UsrMove), /usr/sbin into /usr/bin
 * (Fedora 42, Arch).
 */
const MERGED = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/sbin", "/usr/lib64"];
/** An alias may lead into another: /sbin to /usr/sbin to /usr/bin. */
const STEPS_MAX = 3;

export class Aliases {
  readonly #targets: readonly (readonly [from: string, to: string])[];

  /** Reads the links as they are in this root folder. */
  constructor(root: RootFolder) {
    this.#targets = MERGED.flatMap((path) => {
      const target = root.link(path);
      return target ? [[`${path}/`, `${absolute(path, target)}/`] as const] : [];
    });
  }

  /** The path by which the kernel knows the file. */
  canonical(path: string): string {
    let result = path;
    for (let step = 0; step < STEPS_MAX; step++) {
      const alias = this.#targets.find(([from]) => result.startsWith(from));
      if (!alias) break;
      result = alias[1] + result.slice(alias[0].length);
    }
    return result;
  }

  /** The same text for the same links. */
  get version(): string {
    return this.#targets.map((pair) => pair.join("=")).join(":");
  }
}

/** Where a link leads, `..` and `.` taken out. */
function absolute(path: string, target: string): string {
  const from = target.startsWith("/") ? [] : path.split("/").slice(1, -1);
  for (const name of target.split("/")) {
    if (name === "..") from.pop();
    else if (name !== "" && name !== ".") from.push(name);
  }
  return `/${from.join("/")}`;
}
