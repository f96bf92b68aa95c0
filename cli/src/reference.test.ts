// Tested: the pages of docs/reference that are made from the code are what the code makes now.
import { join } from "node:path";
import { startProcess } from "@nightjar/test-support";
import test from "ava";

const SCRIPT = join(import.meta.dirname, "../../scripts/reference.ts");

test("docs/reference is fresh", async (t) => {
  const check = startProcess(t, process.execPath, [SCRIPT, "--check"]);
  const { code } = await check.exited;
  t.is(check.stdout + check.stderr, "");
  t.is(code, 0);
});
