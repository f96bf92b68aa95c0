// The settings are shown with their sources and without secrets, checked, and switch the sensor off.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { statePaths } from "@nightjar/stage";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { runCli } from "../testing.ts";

function settingsFile(t: Parameters<typeof temporaryFolder>[0], text: string): { file: string; stateDir: string } {
  const stateDir = temporaryFolder(t);
  const file = join(stateDir, "nightjar.yaml");
  writeFileSync(file, text);
  return { file, stateDir };
}

test("each value is shown with where it comes from, a secret is not", async (t) => {
  const { file } = settingsFile(
    t,
    "log_level: debug\nuplink:\n  heartbeat_interval_s: 7\napi:\n  client_secret: hidden\n",
  );
  const env = { NIGHTJAR_CONFIG: file, NIGHTJAR_LOG_LEVEL: "warn" };
  const { code, stdout } = await runCli(["config", "show"], { env });
  t.is(code, 0);
  t.regex(stdout, /^log_level +"warn" +environment$/m);
  t.regex(stdout, /^uplink\.heartbeat_interval_s +7 +file$/m);
  t.regex(stdout, /^api\.client_secret +"\(secret\)" +file$/m);
  t.notRegex(stdout, /hidden|bus\./);
  const all = await runCli(["config", "show", "--all", "--json"], { env });
  const { settings } = JSON.parse(all.stdout);
  t.deepEqual(
    settings.find(({ name }: { name: string }) => name === "enabled"),
    { name: "enabled", value: true, source: "default", variable: "NIGHTJAR_ENABLED" },
  );
});

test("what is not allowed, not known or not there is said", async (t) => {
  const { file } = settingsFile(t, "rule_engine:\n  rules: [/nowhere/rules.yaml]\n");
  const missing = await runCli(["config", "check", "--config", file]);
  t.is(missing.code, 2);
  t.regex(missing.stderr, /rule_engine\.rules: \/nowhere\/rules\.yaml does not exist/);
  const { file: wrong } = settingsFile(t, "enabeld: false\nbus:\n  disk_bytes: much\n");
  const problems = await runCli(["config", "check", "--config", wrong]);
  t.is(problems.code, 2);
  t.regex(problems.stderr, /SETTING_UNKNOWN: enabeld is no setting/);
  t.regex(problems.stderr, /SETTING_INVALID: bus\.disk_bytes/);
  const { file: fine } = settingsFile(t, "enabled: true\n");
  t.is((await runCli(["config", "check", "--config", fine])).code, 0);
});

for (const text of ["enabled: false", "disable_service: true"]) {
  test(`${text} keeps the sensor from running until it is taken back`, async (t) => {
    const { file, stateDir } = settingsFile(t, `${text}\n`);
    const given = ["--config", file, "--state-dir", stateDir];
    const note = statePaths.disabled(stateDir);
    t.is((await runCli(["config", "apply", ...given])).code, 0);
    t.regex(readFileSync(note, "utf8"), /\(file\)$/m);
    for (const command of [
      ["stage", "aggregator"],
      ["run", "--replay", file],
    ]) {
      const { code, stderr } = await runCli([...command, ...given]);
      t.is(code, 7);
      t.regex(stderr, /the sensor is disabled/);
    }
    writeFileSync(file, "enabled: true\ndisable_service: false\n");
    t.is((await runCli(["config", "apply", ...given])).code, 0);
    t.false(existsSync(note));
  });
}

test("a stage that is none is refused", async (t) => {
  const { code, stderr } = await runCli(["stage", "kernel", "--state-dir", temporaryFolder(t)]);
  t.is(code, 2);
  t.regex(stderr, /kernel is no stage; those are collector, enricher/);
});
