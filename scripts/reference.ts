// Writes what of docs/reference is made from the code, or with --check only says whether it is fresh.
//
//   node scripts/reference.ts [--check]
//
// Ends with 0 when all is fresh or written, 1 when --check found something stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Environment } from "../cli/src/command.ts";
import { exitCodes } from "../cli/src/exit-codes.ts";
import { buildProgram } from "../cli/src/program.ts";
import { otherVariables, type SettingName, settingNames } from "../packages/stage/src/index.ts";
import { connectivityPage } from "./reference/connectivity-page.ts";
import { countersPage } from "./reference/counters-page.ts";
import { doctorPage } from "./reference/doctor-page.ts";
import { errorsPage } from "./reference/errors-page.ts";
import { healthPage } from "./reference/health-page.ts";
import { page, tableOf } from "./reference/text.ts";

const root = dirname(import.meta.dirname);

type Program = ReturnType<typeof buildProgram>;

/** The code's table in order: the sections, each with its settings. */
function settingsPage(): string {
  const sections = [...new Set(settingNames.map(({ section }) => section))];
  const row = ({ name, variable, flag, setting }: SettingName) => {
    const initial = JSON.stringify(setting.default) ?? "";
    return [
      `\`${name}\``,
      `\`${variable}\``,
      setting.secret ? "none" : `\`${flag}\``,
      `\`${initial}\``,
      setting.allowed,
      setting.doc,
    ];
  };
  const header = ["in the file", "in the environment", "flag", "default", "allowed", "what it does"];
  return page(
    "Settings",
    `A flag wins over the environment, which wins over the file, which wins over the default. \`nightjar run\` takes
all of them and gives them to its stages. The file is YAML, named by \`--config FILE\` or \`NIGHTJAR_CONFIG\`: a name
with a dot is a key in a section (\`uplink.retry_base_ms\` is \`retry_base_ms:\` below \`uplink:\`). A name that is not
known (\`SETTING_UNKNOWN\`), a value that is not allowed (\`SETTING_INVALID\`) or a file that cannot be read
(\`SETTINGS_FILE_UNREADABLE\`) stops the start and says what is allowed. Through sudo: \`sudo -E ./nightjar run\`, or
\`sudo NIGHTJAR_LOG_LEVEL=debug ./nightjar run\`.`,
    ...sections.flatMap((section) => [
      `## ${section}`,
      tableOf(header, settingNames.filter((one) => one.section === section).map(row)),
    ]),
    "## Variables that are no settings",
    tableOf(
      ["variable", "what it is for"],
      Object.entries(otherVariables).map(([variable, doc]) => [`\`${variable}\``, doc]),
    ),
  );
}

/** Options of a setting's own are on the page of the settings. */
function commandSection(command: Program, parents = "nightjar"): string[] {
  const name = `${parents} ${command.name()}`;
  const below = command.commands.flatMap((one) => commandSection(one as Program, name));
  // What only holds commands has no options.
  if (command.options.length === 0) return below;
  const names = new Set(settingNames.map(({ flag }) => flag));
  const own = command.options.filter(({ long }) => !names.has(long ?? ""));
  const takesAll = command.options.length - own.length > settingNames.length / 2;
  const rows = [
    ...command.registeredArguments.map((one) => [`\`[${one.name()}]\``, one.description]),
    ...own.map(({ flags, description }) => [`\`${flags}\``, description]),
    [takesAll ? "all settings" : "`--state-dir`, `--log-level`, `--cli-color`", "see [settings.md](settings.md)"],
  ];
  const positional = command.registeredArguments.map((one) => ` [${one.name()}]`).join("");
  return [`## ${name}${positional}`, command.description(), tableOf(["argument", "meaning"], rows), ...below];
}

function cliPage(): string {
  const streams = { stdout: process.stdout, stderr: process.stderr, stdin: process.stdin, env: {} };
  const environment: Environment = {
    ...{ streams, signal: new AbortController().signal },
    ended: () => {},
    program: () => buildProgram(environment),
    run: async () => 0,
  };
  const program = environment.program();
  return page(
    "The command line",
    `With \`--json\` a command writes JSON to standard output, an object a line, and nothing else there; messages for a
person go to standard error. In a checkout the launcher \`./nightjar\` takes the same commands, and besides them
\`setup\` (install and build only), \`test [SUITE…]\`, \`test --list\` and \`bench NAME\`.`,
    ...program.commands.flatMap((one) => commandSection(one as Program)),
    "## Exit codes",
    tableOf(
      ["code", "name", "what it means"],
      Object.entries(exitCodes).map(([name, { code, doc }]) => [String(code), `\`${name}\``, doc]),
    ),
  );
}

const PAGES: readonly [path: string, make: () => string][] = [
  ["docs/reference/settings.md", settingsPage],
  ["docs/reference/health.md", healthPage],
  ["docs/reference/errors.md", errorsPage],
  ["docs/reference/connectivity.md", connectivityPage],
  ["docs/reference/counters.md", countersPage],
  ["docs/reference/doctor.md", doctorPage],
  ["docs/reference/cli.md", cliPage],
];

const check = process.argv.includes("--check");
for (const [path, make] of PAGES) {
  const file = join(root, path);
  const text = make();
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  if (check) {
    console.log(`${path} is stale: run node scripts/reference.ts`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`${path} is written`);
  }
}
