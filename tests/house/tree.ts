// The tree as the house tests read it: every file that git has or would take, and what kind each is.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

export interface TreeFile {
  /** From the root, with slashes. */
  path: string;
  text: string;
}

/** Files above this are data, and read by no rule. */
const FILE_BYTES_MAX = 2 * 1024 * 1024;

function read(path: string): TreeFile | undefined {
  const full = join(root, path);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > FILE_BYTES_MAX) return undefined;
  const bytes = readFileSync(full);
  // A zero byte: an image, a recording, an object file.
  return bytes.includes(0) ? undefined : { path, text: bytes.toString("utf8") };
}

/** All text files that are tracked, or new and not ignored. */
export function readTree(): TreeFile[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const paths = execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0");
  return [...new Set(paths)]
    .filter((path) => path !== "")
    .map(read)
    .filter((file) => file !== undefined);
}

/** How a language writes comments: "//" and slash-star, or "#". */
export type Comments = "slashes" | "hash";

const COMMENTS_BY_ENDING = new Map<string, Comments>([
  ...["ts", "mts", "js", "mjs", "cjs", "c", "h", "cc", "cpp", "proto"].map((end) => [end, "slashes"] as const),
  ...["sh", "bash", "py", "yaml", "yml", "gyp"].map((end) => [end, "hash"] as const),
]);

const WITHOUT_PURPOSE = new Set(["pnpm-lock.yaml"]);

/** How comments are written in a source file; undefined where it is none (prose, data, what a tool writes). */
export function commentsOf({ path, text }: TreeFile): Comments | undefined {
  if (WITHOUT_PURPOSE.has(path)) return undefined;
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!name.includes(".")) return /^#!.*\b(sh|bash|python3|node)\b/.test(text) ? "hash" : undefined;
  return COMMENTS_BY_ENDING.get(name.slice(name.lastIndexOf(".") + 1));
}

/** TypeScript and JavaScript. */
export function isScript(path: string): boolean {
  return /\.[mc]?[jt]s$/.test(path);
}

/** C and C++. */
export function isNative(path: string): boolean {
  return /\.(c|h|cc|cpp)$/.test(path);
}

/** What only tests use: tests, what they share (testing.ts), the suites in tests/. */
export function isTest(path: string): boolean {
  return /(\.test|\/testing)\.ts$/.test(path) || path.startsWith("tests/");
}
