// Holds ARCHITECTURE.md to the tree and to the code that knows better: its folders and its table of streams.
import { type Stream, streams } from "@nightjar/stage";
import test from "ava";
import { packageFolders, treeTable } from "./imports.ts";
import { readTree } from "./tree.ts";

const tree = readTree();
const architecture = tree.find(({ path }) => path === "ARCHITECTURE.md")?.text ?? "";

/** Packages that are a part of another row. */
const FOLDERS_WITHIN = ["tests/support"];

const RETENTIONS = { work_queue: "work queue", log: "log", last_value: "last value" } as const;

/** A row of the table under "## Streams", as far as the code knows it. */
function rowOf({ name, subjects, retention, writers, readers }: Stream): string {
  const of = (words: readonly string[]) => words.join(", ");
  return `${name} | ${of(subjects)} | ${RETENTIONS[retention]} | ${of(writers)} → ${of(readers)}`;
}

/** The same of what is written: a subject's `<word>` is a token of its own choice, "*" to NATS. */
function streamRows(text: string): string[] {
  const section = text.split(/^## /m).find((one) => one.startsWith("Streams")) ?? "";
  return [...section.matchAll(/^\| ([A-Z]+) \|([^|]*\|[^|]*\|[^|]*)\|/gm)].map(([, name, columns]) =>
    `${name} |${(columns as string).replaceAll("`", "").replaceAll(/<\w+>/g, "*")}`.trimEnd(),
  );
}

test("a stream's row is read as the code says it", (t) => {
  const text =
    "## Streams\n\n| stream | subjects |\n|---|---|\n| A | `n.a.<kind>` | last value | x → y, z | refuses |\n";
  const stream: Stream = {
    name: "A" as Stream["name"],
    subjects: ["n.a.*"],
    retention: "last_value",
    writers: ["x" as "bus"],
    readers: ["y" as "bus", "z" as "bus"],
    diskShare: 1,
  };
  t.deepEqual(streamRows(text), [rowOf(stream)]);
  t.notDeepEqual(streamRows(text), [rowOf({ ...stream, retention: "work_queue" })]);
});

test("the table of streams says what the code does", (t) => {
  t.deepEqual(streamRows(architecture), streams.map(rowOf));
});

test("every package is in the tree's table", (t) => {
  const listed = new Set(treeTable(architecture).map(({ folder }) => folder));
  const missing = packageFolders(tree).filter((folder) => !listed.has(folder) && !FOLDERS_WITHIN.includes(folder));
  t.deepEqual(missing, []);
});

test("every folder in the tree's table is there", (t) => {
  const gone = treeTable(architecture).filter(({ folder }) => !tree.some(({ path }) => path.startsWith(`${folder}/`)));
  t.deepEqual(gone, []);
});
