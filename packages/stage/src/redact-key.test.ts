// All processes of a sensor share the key by which secrets have tokens, whoever makes it.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { openRedactor } from "./redact-key.ts";
import { resolveSettings, settingsEnvironment } from "./resolve-settings.ts";
import { statePaths } from "./state-folder.ts";

const { values: defaults } = resolveSettings({});
const TEXT = "app --password Xy12ab34";

test("the key is made once, for its owner and group, and kept", (t) => {
  const stateDir = temporaryFolder(t);
  const first = openRedactor(stateDir, defaults).text(TEXT);
  t.regex(first, /^app --password \[redacted:password:[0-9a-f]{8}\]$/);
  t.is(openRedactor(stateDir, defaults).text(TEXT), first);
  t.is(statSync(statePaths.redactKey(stateDir)).mode & 0o777, 0o640);
  t.not(openRedactor(temporaryFolder(t), defaults).text(TEXT), first);
});

test("a key that was cut short is made anew", (t) => {
  const stateDir = temporaryFolder(t);
  openRedactor(stateDir, defaults);
  writeFileSync(statePaths.redactKey(stateDir), "short");
  const text = openRedactor(stateDir, defaults).text(TEXT);
  t.is(openRedactor(stateDir, defaults).text(TEXT), text);
  t.is(readFileSync(statePaths.redactKey(stateDir)).length, 32);
});

test("without a folder it redacts all the same", (t) => {
  t.regex(openRedactor("", defaults).text(TEXT), /redacted:password/);
  t.regex(openRedactor("/dev/null/x", defaults).text(TEXT), /redacted:password/);
});

test("patterns of one's own go through the environment as they are, and bad ones are refused", (t) => {
  const given = resolveSettings({ file: { redact: { extra_patterns: ["EMP-[0-9]{4,6}", "badge (\\w+)"] } } });
  t.deepEqual(given.problems, []);
  const { values } = resolveSettings({ env: settingsEnvironment(given) });
  const redactor = openRedactor(temporaryFolder(t), values);
  t.regex(redactor.text("see EMP-12345, badge k7"), /^see \[redacted:custom:\w{8}\], badge \[redacted:custom:\w{8}\]$/);
  for (const bad of ["(", "(?=a)", "a*"]) {
    const { problems } = resolveSettings({ file: { redact: { extra_patterns: [bad] } } });
    t.is(problems[0]?.code, "SETTING_INVALID", bad);
  }
});
