// Shows that the linter, as configured, catches what the house rules leave to it.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { FUNCTION_LINES_MAX } from "./file-rules.ts";
import { root } from "./tree.ts";

const body = (lines: number) => `export function f(a: number): number {\n${"  a++;\n".repeat(lines)}  return a;\n}\n`;
const printing = 'console.log("a");\n';
const stage = (name: string) => `services/enricher/src/${name}.ts`;

/** The rule that must find something in a file, or "" where none may. */
const SAMPLES: readonly (readonly [rule: string, path: string, text: string])[] = [
  ["lint/complexity/noExcessiveLinesPerFunction", stage("long"), body(FUNCTION_LINES_MAX)],
  ["", stage("short"), body(FUNCTION_LINES_MAX - 10)],
  ["lint/nursery/noFloatingPromises", stage("floating"), "async function f() {}\nf();\n"],
  ["", stage("awaited"), "async function f() {}\nawait f();\n"],
  ["lint/style/useThrowOnlyError", stage("throws"), 'throw "text";\n'],
  ["lint/suspicious/noConsole", stage("prints"), printing],
  ["", "cli/src/prints.ts", printing],
  ["", "bench/pipeline/prints.ts", printing],
  ["", "scripts/prints.ts", printing],
  ["lint/suspicious/noFocusedTests", "proto/src/only.test.ts", 'test.only("a", () => {});\n'],
];

interface Report {
  diagnostics: { category: string; location: { path: string | { file: string } } }[];
}

test("each rule finds its sample, and none finds the good ones", (t) => {
  const folder = temporaryFolder(t);
  copyFileSync(join(root, "biome.json"), join(folder, "biome.json"));
  copyFileSync(join(root, ".gitignore"), join(folder, ".gitignore"));
  for (const [, path, text] of SAMPLES) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const biome = join(root, "node_modules/.bin/biome");
  const result = spawnSync(biome, ["lint", "--reporter=json", "."], { cwd: folder, encoding: "utf8" });
  const { diagnostics } = JSON.parse(result.stdout) as Report;
  const fileOf = ({ path }: Report["diagnostics"][number]["location"]) => (typeof path === "string" ? path : path.file);
  for (const [rule, path] of SAMPLES) {
    const found = diagnostics.filter(({ location }) => fileOf(location).endsWith(path)).map(({ category }) => category);
    t.deepEqual(found, rule === "" ? [] : [rule], path);
  }
});
