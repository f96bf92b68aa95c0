// Holds every import to the table in ARCHITECTURE.md: stages meet in proto/ and on the bus, never in each other's code.
import test from "ava";
import { forbiddenImports, importsOf, impureImports, leavingImports, specifiersOf, treeTable } from "./imports.ts";
import { readTree } from "./tree.ts";

/** Folders whose code does no I/O and runs in a browser. */
const PURE_FOLDERS = ["packages/rules", "packages/events", "proto"];

const SAMPLE_TABLE = `# A

## The tree

| folder | what it is | may import |
|---|---|---|
| \`proto/\` | messages | nothing |
| \`native-probe/\` | the probe | \`proto\` |
| \`packages/events/\` | batches | \`proto\` |
| \`packages/rules/\` | rules | \`proto\`, \`events\` |
| \`services/collector/\` | probe to RAW | packages, \`native-probe\` |
| \`services/enricher/\` | RAW to EVENTS | packages |
| \`tests/\` | tests | all |

## Streams
`;

const NAMES = new Map(
  ["proto", "native-probe", "packages/events", "packages/rules", "services/collector", "tests/support"].map(
    (folder) =>
      [
        folder === "tests/support" ? "@nightjar/test-support" : `@nightjar/${folder.split("/").at(-1)}`,
        folder,
      ] as const,
  ),
);

function sample(folder: string, specifier: string, file = "src/x.ts") {
  return { path: `${folder}/${file}`, folder, specifier };
}

test("imports are read from statements, not from comments and texts", (t) => {
  const text = `// import { a } from "comment";
import type { A } from "./a.ts";
import "side-effect";
export * from "./b.ts";
import {
  one,
} from "@nightjar/proto";
const later = await import("node:fs");
const text = 'nothing from here';
`;
  t.deepEqual(specifiersOf(text), ["./a.ts", "side-effect", "./b.ts", "@nightjar/proto", "node:fs"]);
});

const RULES: readonly (readonly [allowed: boolean, folder: string, specifier: string, file?: string])[] = [
  [true, "services/enricher", "@nightjar/events"],
  [true, "services/enricher", "@nightjar/proto/event/v1/exec"],
  [false, "services/enricher", "@nightjar/native-probe"],
  [true, "services/collector", "@nightjar/native-probe"],
  [false, "services/enricher", "@nightjar/collector"],
  [false, "tests", "@nightjar/collector"],
  [true, "tests", "@nightjar/native-probe"],
  [false, "packages/events", "@nightjar/rules"],
  [false, "proto", "@nightjar/events"],
  [true, "packages/events", "piscina"],
  [true, "packages/events", "@nightjar/test-support", "src/x.test.ts"],
  [true, "packages/events", "@nightjar/test-support", "src/testing.ts"],
  [false, "packages/events", "@nightjar/test-support"],
  [true, "bench", "@nightjar/test-support", "fleet/main.ts"],
  [false, "packages/unlisted", "@nightjar/proto"],
];

test("the table decides what may be imported", (t) => {
  const rows = treeTable(SAMPLE_TABLE);
  for (const [allowed, folder, specifier, file] of RULES) {
    const forbidden = forbiddenImports([sample(folder, specifier, file)], rows, NAMES);
    t.is(forbidden.length === 0, allowed, `${folder} imports ${specifier}`);
  }
});

test("an import that leaves its package is found", (t) => {
  t.is(leavingImports([sample("services/enricher", "../../collector/src/x.ts")]).length, 1);
  t.is(leavingImports([sample("services/enricher", "./y.ts"), sample("services/enricher", "../gen/y.ts")]).length, 0);
});

test("Node's modules are found where code must run in a browser", (t) => {
  const inputs = [sample("packages/rules", "node:fs"), sample("packages/rules", "node:fs", "src/x.test.ts")];
  t.deepEqual(impureImports([...inputs, sample("packages/stage", "node:fs")], PURE_FOLDERS), inputs.slice(0, 1));
});

const tree = readTree();
const imports = importsOf(tree);
const architecture = tree.find(({ path }) => path === "ARCHITECTURE.md")?.text ?? "";
const names = new Map(
  tree
    .filter(({ path }) => path.endsWith("/package.json"))
    .map(({ path, text }) => [JSON.parse(text).name as string, path.slice(0, -"/package.json".length)]),
);
const shown = (found: { path: string; specifier: string }[]) =>
  found.map((one) => `${one.path} imports ${one.specifier}`);

test("packages import what ARCHITECTURE.md allows", (t) => {
  const rows = treeTable(architecture);
  t.true(rows.length > 0);
  t.true(imports.length > 0);
  t.deepEqual(shown(forbiddenImports(imports, rows, names)), []);
});

test("no import leaves its package", (t) => {
  t.deepEqual(shown(leavingImports(imports)), []);
});

test("what must run in a browser imports nothing of Node's", (t) => {
  t.deepEqual(shown(impureImports(imports, PURE_FOLDERS)), []);
});
