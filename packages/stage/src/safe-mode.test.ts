// A stage that fails again and again: safe mode, then the end, with a report of each failure.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { EXIT_BUG, EXIT_GIVEN_UP } from "./codes.ts";
import { CRASH_REPORTS_MAX } from "./crash-report.ts";
import { FAILURES_MAX } from "./lives.ts";

const STAGE = fileURLToPath(new URL("failing.fixture.ts", import.meta.url));

test("after ten failures it tries without what it kept, and then no more", async (t) => {
  t.timeout(120_000);
  const stateDir = temporaryFolder(t);
  const folder = join(stateDir, "aggregator");
  mkdirSync(join(folder, "indicators"), { recursive: true });
  writeFileSync(join(folder, "indicators", "one"), "");
  const live = async () => {
    const stage = startProcess(t, process.execPath, [STAGE], { env: { NIGHTJAR_STATE_DIR: stateDir } });
    return { code: (await stage.exited).code, said: stage.stderr };
  };
  for (let times = 0; times < FAILURES_MAX; times++) {
    const { code, said } = await live();
    t.is(code, EXIT_BUG, said);
    t.regex(said, /as always/);
  }
  t.true(existsSync(join(folder, "indicators")));
  const safe = await live();
  t.is(safe.code, EXIT_BUG);
  t.regex(safe.said, /"code":"STAGE_SAFE_MODE"/);
  t.regex(safe.said, /with as little as it can/);
  t.false(existsSync(join(folder, "indicators")), "its cache is cleared");
  const last = await live();
  t.is(last.code, EXIT_GIVEN_UP);
  t.regex(last.said, /failed 11 times in a row.*not started again until somebody does/);
  t.is((await live()).code, EXIT_BUG, "who starts it lets it try again");

  const reports = readdirSync(join(folder, "crashes"));
  t.is(reports.length, CRASH_REPORTS_MAX);
  const report = readFileSync(join(folder, "crashes", reports[0] as string), "utf8");
  t.regex(report, /"error": "TypeError"/);
  t.false(report.includes("letter"));
});
