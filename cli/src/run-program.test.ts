// Tested as a user meets it: arguments in; exit code, standard output and standard error out.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SENSOR_VERSION } from "@nightjar/stage";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { exitCodes } from "./exit-codes.ts";
import { runCli } from "./testing.ts";

test("the version, for a person and for a program", async (t) => {
  const plain = await runCli(["version"]);
  t.is(plain.stdout, `nightjar ${SENSOR_VERSION} (node ${process.versions.node})\n`);
  const json = await runCli(["version", "--json"]);
  t.deepEqual(JSON.parse(json.stdout), { version: SENSOR_VERSION, node: process.versions.node });
});

test("help is no mistake and names every command", async (t) => {
  const { code, stdout } = await runCli(["--help"]);
  t.is(code, 0);
  for (const name of ["run", "status", "detections", "get-statistics", "tap", "decode", "version"]) {
    t.regex(stdout, new RegExp(`^ {2}${name}\\b`, "m"));
    const help = await runCli([name, "--help"]);
    t.is(help.code, 0);
    for (const flag of ["--json", "--state-dir", "--config"]) t.true(help.stdout.includes(flag), `${name} ${flag}`);
  }
});

const mistakes: readonly [args: string[], said: RegExp][] = [
  [["nonsense"], /unknown command 'nonsense'/],
  [["status", "--nonsense"], /unknown option '--nonsense'/],
  [["status", "--wait"], /argument missing/],
  [["status", "--wait", "soon"], /--wait: a number from 0 to 86400/],
  [["detections", "--since", "yesterday"], /--since: "yesterday" is not allowed; allowed is a duration back from now/],
  [["tap", "--type", "exce"], /no event type exce; there are exec,/],
  [["tap", "--count", "0"], /--count: a number above 0/],
  [["status", "--log-level", "loud"], /--log-level: "loud" is not allowed; allowed is one of error, warn, info, debug/],
  [["run", "--bus-disk-bytes", "many"], /--bus-disk-bytes: "many" is not allowed; allowed is 0, or a whole number/],
  [["run", "--rules", "/nonexistent/rules.yaml"], /\/nonexistent\/rules.yaml does not exist/],
  [["run", "--replay", "/nonexistent/recording"], /\/nonexistent\/recording does not exist/],
  [["status", "--config", "/nonexistent/nightjar.yaml"], /SETTINGS_FILE_UNREADABLE: \/nonexistent\/nightjar.yaml/],
];

for (const [args, said] of mistakes) {
  test(`refused: nightjar ${args.join(" ")}`, async (t) => {
    const { code, stdout, stderr } = await runCli(args);
    t.is(code, exitCodes.USAGE.code);
    t.is(stdout, "");
    t.regex(stderr, said);
  });
}

test("a misspelt variable stops the start and names the right one", async (t) => {
  const { code, stderr } = await runCli(["version"], { env: { NIGHTJAR_LOGLEVEL: "debug" } });
  t.is(code, exitCodes.USAGE.code);
  t.regex(stderr, /SETTING_UNKNOWN: NIGHTJAR_LOGLEVEL is no setting; did you mean NIGHTJAR_LOG_LEVEL\?/);
});

test("flag over environment over file", async (t) => {
  const folder = temporaryFolder(t);
  const [inFile, inVariable, inFlag] = ["file", "variable", "flag"].map((name) => join(folder, name));
  const config = join(folder, "nightjar.yaml");
  writeFileSync(config, `state_dir: ${inFile}\n`);
  const told = async (args: string[], env = {}) => (await runCli(["status", ...args], { env })).stderr;
  const env = { NIGHTJAR_STATE_DIR: inVariable };
  t.true((await told(["--config", config])).includes(`${inFile}:`));
  t.true((await told([], { NIGHTJAR_CONFIG: config })).includes(`${inFile}:`));
  t.true((await told(["--config", config], env)).includes(`${inVariable}:`));
  t.true((await told(["--config", config, "--state-dir", `${inFlag}`], env)).includes(`${inFlag}:`));
});

for (const command of ["status", "detections", "get-statistics", "tap"]) {
  test(`nightjar ${command} without a sensor says so`, async (t) => {
    const { code, stdout, stderr } = await runCli([command, "--state-dir", temporaryFolder(t), "--json"]);
    t.is(code, exitCodes.NOT_RUNNING.code);
    t.is(stdout, "");
    t.regex(stderr, /start the sensor with `nightjar run`/);
  });
}

test("status --wait gives up when the time is over", async (t) => {
  const { code, stderr } = await runCli(["status", "--state-dir", temporaryFolder(t), "--wait", "0.1"]);
  t.is(code, exitCodes.NOT_READY.code);
  t.regex(stderr, /not ready after 0.1 s: no bus answers/);
});

test("rules are checked with the place of each mistake; the others can be used", async (t) => {
  const file = join(temporaryFolder(t), "rules.yaml");
  const rule = (name: string, condition: string) =>
    `- rule: ${name}\n  desc: ${name}\n  condition: ${condition}\n  output: "%proc.name"\n  priority: NOTICE\n`;
  writeFileSync(file, rule("Right", "evt.type = execve") + rule("Wrong", "proc.nam = x and evt.type = execve"));
  const { code, stdout, stderr } = await runCli(["rules", "check", file]);
  t.is(code, exitCodes.FAILED.code);
  t.regex(stdout, new RegExp(`^${file}:8:\\d+: error: LOAD_ERR_COMPILE_CONDITION: .*proc.nam`, "m"));
  t.regex(stderr, /^1 rules can be used; 1 errors/m);
  const { problems } = JSON.parse((await runCli(["rules", "check", file, "--json"])).stdout);
  t.deepEqual(
    problems.map(({ line }: { line: number }) => line),
    [8],
  );
});

test("the starter rules have no mistake", async (t) => {
  const { code, stdout } = await runCli([
    "rules",
    "check",
    join(import.meta.dirname, "../../services/rule-engine/rules"),
  ]);
  t.is(stdout, "");
  t.is(code, exitCodes.OK.code);
});
