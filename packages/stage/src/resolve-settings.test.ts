// Settings are taken in their order, and what is wrong is said with its place and what is allowed.
import test from "ava";
import { resolveSettings, settingNames, settingsEnvironment } from "./resolve-settings.ts";

test("a flag wins over the environment, that over the file, that over the default", (t) => {
  const file = { collector: { in_flight_batches: 3 } };
  const env = { NIGHTJAR_COLLECTOR_IN_FLIGHT_BATCHES: "4" };
  const flags = { "--collector-in-flight-batches": "5" };
  const read = (given: object) => {
    const { values, sources, problems } = resolveSettings(given);
    t.deepEqual(problems, []);
    return [values.collector.in_flight_batches, sources.get("collector.in_flight_batches")];
  };
  t.deepEqual(read({ flags, env, file }), [5, "flag"]);
  t.deepEqual(read({ env, file }), [4, "environment"]);
  t.deepEqual(read({ file }), [3, "file"]);
  t.deepEqual(read({}), [32, "default"]);
});

const wrong: [string, object, string][] = [
  [
    "a number out of range",
    { env: { NIGHTJAR_COLLECTOR_IN_FLIGHT_BATCHES: "0" } },
    'NIGHTJAR_COLLECTOR_IN_FLIGHT_BATCHES: "0" is not allowed; allowed is a whole number from 1 to 256 (batches)',
  ],
  [
    "no number",
    { file: { collector: { in_flight_batches: "many" } } },
    'collector.in_flight_batches: "many" is not allowed; allowed is a whole number from 1 to 256 (batches)',
  ],
  [
    "a word that is no choice",
    { flags: { "--log-level": "loud" } },
    '--log-level: "loud" is not allowed; allowed is one of error, warn, info, debug',
  ],
  [
    "a variable that is none",
    { env: { NIGHTJAR_LOG_LEVELS: "info" } },
    "NIGHTJAR_LOG_LEVELS is no setting; did you mean NIGHTJAR_LOG_LEVEL?",
  ],
  [
    "a key that is none",
    { file: { collector: { speed: 3 } } },
    "collector.speed is no setting; docs/reference/settings.md lists all",
  ],
  ["a file that is no mapping", { file: ["state_dir"] }, "the settings file must be a mapping of names to values"],
];

for (const [what, given, message] of wrong) {
  test(`says what is wrong with ${what}`, (t) => {
    const { problems, values } = resolveSettings(given);
    t.deepEqual(
      problems.map((one) => one.message),
      [message],
    );
    t.is(values.collector.in_flight_batches, 32);
  });
}

test("the environment carries what was set to another process, and nothing else", (t) => {
  const given = {
    flags: { "--state-dir": "/a", "--rule-engine-rules": "x.yaml,y.yaml" },
    file: { log_level: "debug" },
  };
  const resolved = resolveSettings(given);
  const env = settingsEnvironment(resolved);
  t.deepEqual(Object.keys(env).sort(), ["NIGHTJAR_LOG_LEVEL", "NIGHTJAR_RULE_ENGINE_RULES", "NIGHTJAR_STATE_DIR"]);
  t.deepEqual(resolveSettings({ env }).values, resolved.values);
});

test("every default is itself allowed", (t) => {
  for (const { name, setting } of settingNames) {
    if (setting.default === "" || setting.default === null) continue;
    t.deepEqual(setting.read(setting.default), setting.default, name);
  }
});
