// Rules files are found in the order given, folders by name; what cannot be read is named.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { readRuleFiles, readTestFiles } from "./rule-files.ts";

test("takes files, and folders in the order of their names", (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "rules", "more"), { recursive: true });
  const write = (name: string) => writeFileSync(join(folder, name), name);
  for (const name of ["own.yaml", "rules/b.yml", "rules/a.yaml", "rules/more/c.yaml", "rules/README.md"]) write(name);
  const { files, problems } = readRuleFiles([join(folder, "own.yaml"), join(folder, "rules")]);
  t.deepEqual(problems, []);
  t.deepEqual(
    files.map((file) => file.text),
    ["own.yaml", "rules/a.yaml", "rules/b.yml", "rules/more/c.yaml"],
  );
});

test("a path that is not there is a problem, the others are read", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "a.yaml"), "a");
  const { files, problems } = readRuleFiles([join(folder, "missing.yaml"), folder]);
  t.deepEqual(
    files.map((file) => file.text),
    ["a"],
  );
  t.deepEqual(
    problems.map(({ code, file }) => [code, file]),
    [["RULES_FILE_UNREADABLE", join(folder, "missing.yaml")]],
  );
});

test("a file that cannot be read does not take its folder with it", (t) => {
  const folder = temporaryFolder(t);
  symlinkSync(join(folder, "nowhere"), join(folder, "b.yaml"));
  for (const name of ["a.yaml", "c.yaml"]) writeFileSync(join(folder, name), name);
  const { files, problems } = readRuleFiles([folder]);
  t.deepEqual(
    files.map((file) => file.text),
    ["a.yaml", "c.yaml"],
  );
  t.deepEqual(
    problems.map(({ code, file }) => [code, file]),
    [["RULES_FILE_UNREADABLE", join(folder, "b.yaml")]],
  );
});

test("tests of rules stand beside the rules and are not taken for such", (t) => {
  const folder = temporaryFolder(t);
  for (const name of ["a.yaml", "a.test.yaml", "b.test.yml"]) writeFileSync(join(folder, name), name);
  const texts = ({ files }: ReturnType<typeof readRuleFiles>) => files.map(({ text }) => text);
  t.deepEqual(texts(readRuleFiles([folder])), ["a.yaml"]);
  t.deepEqual(texts(readTestFiles([folder])), ["a.test.yaml", "b.test.yml"]);
});
