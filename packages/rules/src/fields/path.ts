// Paths as Falco's fields have them, without a look at any file system.
import type { TextPart } from "../language/tests.ts";

/** The last component, e.g. "passwd" for /etc/passwd. */
export function basename(path: string | undefined): string | undefined {
  return path?.slice(path.lastIndexOf("/") + 1);
}

/** What stands before the last component, without the slash between; "/" for a file at the root. */
export function directoryName(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** What a path holds whose directory holds this part; undefined where it need not. */
export function pathPartOfDirectory(part: TextPart): TextPart | undefined {
  const { text, at } = part;
  // A path that is relative may have no slash; its directory is "/" all the same.
  if (text === "/") return undefined;
  if (at === "whole") return { ...part, text: `${text}/`, at: "start" };
  return at === "end" ? { ...part, text: `${text}/`, at: "anywhere" } : part;
}

/** What a path holds whose last component holds this part. */
export function pathPartOfName(part: TextPart): TextPart {
  return { ...part, at: part.at === "whole" || part.at === "end" ? "end" : "anywhere" };
}

/** `path` seen from `directory`, with "." and ".." worked out; as it is where the directory is not known. */
export function joinPath(directory: string | undefined, path: string): string {
  if (!path.startsWith("/") && directory === undefined) return path;
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
