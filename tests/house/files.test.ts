// Holds every file of the tree to the rules for files, and every rule to its samples.
import test from "ava";
import { checkFile, fileRules } from "./file-rules.ts";
import { knownGaps } from "./known-gaps.ts";
import { readTree } from "./tree.ts";

const tree = readTree();

for (const rule of fileRules) {
  test(`a file ${rule.name}: finds bad samples, and only these`, (t) => {
    const found = ([path, text]: readonly [string, string]) =>
      checkFile({ path, text }).filter((one) => one.rule === rule);
    for (const sample of rule.bad) t.not(found(sample).length, 0, sample.join(":\n"));
    for (const sample of rule.good) t.deepEqual(found(sample), [], sample.join(":\n"));
  });
}

test("the tree is read", (t) => {
  t.true(tree.some(({ path }) => path === "tests/house/files.test.ts"));
  t.false(tree.some(({ path }) => path.includes("node_modules/")));
});

const findings = tree.flatMap((file) => checkFile(file).map((one) => ({ ...one, path: file.path })));

for (const rule of fileRules) {
  test(`each file ${rule.name}`, (t) => {
    const gaps = new Set(knownGaps.filter((gap) => gap.rule === rule.name).map((gap) => gap.path));
    const bad = findings.filter((one) => one.rule === rule && !gaps.has(one.path));
    const lines = bad.map(({ path, finding }) => `  ${path}:${finding.line}: ${finding.what}`);
    t.is(lines.length, 0, `${rule.advice}:\n${lines.join("\n")}`);
  });
}

test("each known gap is one", (t) => {
  const closed = knownGaps.filter(
    (gap) => !findings.some((one) => one.rule.name === gap.rule && one.path === gap.path),
  );
  t.deepEqual(closed, [], "these hold now: take them from the list");
});
