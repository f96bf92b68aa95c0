// A setting that is not allowed stops the start: which one, what was given, what is allowed, and an exit code.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";

const program = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const EXIT_SETTINGS = 2;

async function refused(t: ExecutionContext, path: string, args: string[], env: Record<string, string>) {
  const stateDir = temporaryFolder(t);
  const run = startProcess(t, process.execPath, [program(path), ...args], {
    env: { NIGHTJAR_STATE_DIR: stateDir, ...env },
    group: true,
  });
  t.deepEqual(await run.exited, { code: EXIT_SETTINGS, signal: null }, run.stderr);
  t.deepEqual(
    readdirSync(stateDir).filter((name) => name !== "log"),
    [],
    "nothing was begun",
  );
  return run.stderr;
}

const ALLOWED = /SETTING_INVALID.*"many" is not allowed; allowed is a whole number from 1 to 16/;

test("as a flag", async (t) => {
  const said = await refused(t, "cli/src/main.ts", ["run", "--rule-engine-workers", "many"], {});
  t.regex(said, ALLOWED);
  t.regex(said, /--rule-engine-workers/);
});

test("in the environment", async (t) => {
  const said = await refused(t, "cli/src/main.ts", ["run"], { NIGHTJAR_RULE_ENGINE_WORKERS: "many" });
  t.regex(said, ALLOWED);
  t.regex(said, /NIGHTJAR_RULE_ENGINE_WORKERS/);
});

test("in the file", async (t) => {
  const file = join(temporaryFolder(t), "settings.yaml");
  writeFileSync(file, "rule_engine:\n  workers: many\n  wrokers: 2\n");
  const said = await refused(t, "cli/src/main.ts", ["run", "--config", file], {});
  t.regex(said, ALLOWED);
  t.regex(said, /rule_engine\.workers/);
  t.regex(said, /SETTING_UNKNOWN.*wrokers/);
});

test("a setting that does not exist names one that does", async (t) => {
  const said = await refused(t, "cli/src/main.ts", ["run"], { NIGHTJAR_RULE_ENGINE_WORKER: "2" });
  t.regex(said, /SETTING_UNKNOWN.*NIGHTJAR_RULE_ENGINE_WORKER is no setting/);
});

for (const stage of ["bus", "collector", "metadata", "enricher", "rule-engine", "aggregator", "uplink"]) {
  test(`the stage ${stage} by itself`, async (t) => {
    const said = await refused(t, `services/${stage}/src/main.ts`, [], { NIGHTJAR_RULE_ENGINE_WORKERS: "many" });
    const { level, fields } = JSON.parse(said.trim().split("\n")[0] ?? "");
    t.is(level, "ERROR");
    t.is(fields.code, "SETTING_INVALID");
    t.regex(fields.message, /allowed is a whole number from 1 to 16/);
  });
}
