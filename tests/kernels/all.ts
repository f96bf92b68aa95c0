// Runs all bundled test files as one, each test's title behind the name of its file; runs in the virtual machine.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beginFile } from "../events/support/kernel.ts";

const names = JSON.parse(readFileSync(join(import.meta.dirname, "names.json"), "utf8")) as string[];

for (const name of names) {
  beginFile(name);
  // Of a name that the bundler cannot read: the files are beside this one.
  await import(join(import.meta.dirname, `${name}.test.js`));
}
