// Holds docs/reference to the code: every code of an error or a health issue, and every setting, is documented there.
import { settingNames } from "@nightjar/stage";
import test from "ava";
import { codesOf, documentedWords } from "./codes.ts";
import { readTree } from "./tree.ts";

const tree = readTree();
const reference = tree.filter(({ path }) => path.startsWith("docs/reference/") && path.endsWith(".md"));
const documented = documentedWords(reference);

test("codes are found where they are raised and where they are listed", (t) => {
  const text = `// A table of codes.
export interface Problem { code: "ONE_BAD" | "TWO_BAD" }
// code: "IN_A_COMMENT"
export const problems = {
  THREE_BAD: "said",
  FOUR_BAD: { severity: 1 },
  camelCase: "no code",
};
`;
  const codes = (path: string) => codesOf({ path, text }).map(({ code }) => code);
  t.deepEqual(codes("packages/x/src/problems.ts"), ["ONE_BAD", "TWO_BAD", "THREE_BAD", "FOUR_BAD"]);
  t.deepEqual(codes("packages/x/src/x.ts"), ["ONE_BAD", "TWO_BAD"]);
  t.deepEqual(codes("packages/x/src/x.test.ts"), []);
  t.deepEqual([...documentedWords([{ path: "a.md", text: "| `ONE_BAD` | bad | TWO_BAD" }])], ["ONE_BAD"]);
});

test("every error code is documented", (t) => {
  const missing = tree.flatMap(codesOf).filter(({ code }) => !documented.has(code));
  t.deepEqual(
    missing.map(({ code, path }) => `${code} (${path})`),
    [],
  );
});

test("every setting is documented", (t) => {
  t.deepEqual(
    settingNames.filter(({ variable }) => !documented.has(variable)).map(({ name }) => name),
    [],
  );
});
