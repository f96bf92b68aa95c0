// The version of the rules stands for their files, and for nothing else.
import test from "ava";
import { contentVersion } from "./content-version.ts";

test("the version changes with text, name and order, and with nothing else", (t) => {
  const a = { name: "a", text: "x" };
  const b = { name: "b", text: "y" };
  t.is(contentVersion([a, b]), contentVersion([{ ...a }, { ...b }]));
  const others = [[b, a], [a], [{ ...a, text: "z" }, b], [{ ...a, name: "c" }, b]];
  t.is(new Set([[a, b], ...others].map(contentVersion)).size, 5);
});
