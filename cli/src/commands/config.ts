// `nightjar config`: what the settings are, where each comes from, whether they are allowed, and what they switch off.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { type SettingName, settingNames, statePaths, writeFileAtomic } from "@nightjar/stage";
import { Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { disabledBy } from "../disabled.ts";
import type { ExitName } from "../exit-codes.ts";
import { table } from "../show/table.ts";

/** Others have to see it, such as a service manager's condition and the stages' users. */
const PUBLIC_FILE_MODE = 0o644;
const PUBLIC_FOLDER_MODE = 0o755;
/** Paths that the sensor makes itself; all others are of files and folders that it reads. */
const MADE = new Set(["state_dir", "log_dir", "collector.bpffs", "outputs.file_path"]);
/** Lists of paths. */
const PATH_LISTS = new Set(["rule_engine.rules", "rule_engine.suppressions"]);

export function configCommand(environment: Environment): Command {
  const show = define<{ all?: boolean }>(environment, {
    name: "show",
    description: "Show the settings that are not at their defaults, and where each comes from.",
    options: [new Option("--all", "those at their defaults, too")],
    allSettings: true,
    action: async (context, { all = false }) => showSettings(context, all),
  });
  const check = define(environment, {
    name: "check",
    description:
      "Check the settings: names, values, and that the files they name are there. Exits with 2 where one is wrong.",
    allSettings: true,
    examples: ["nightjar config check --config /etc/nightjar/nightjar.yaml"],
    action: async (context) => checkSettings(context),
  });
  const apply = define(environment, {
    name: "apply",
    description:
      "Note in the state folder whether the settings `enabled` and `disable_service` let the sensor run. " +
      "nightjar.service does so as it starts: the stages' units go by the note.",
    settings: ["enabled", "disable_service"],
    action: async (context) => applySettings(context),
  });
  return new Command("config")
    .description("Work with the settings.")
    .addCommand(show)
    .addCommand(check)
    .addCommand(apply);
}

function valueNamed({ settings }: Context, { section, key, setting }: SettingName): unknown {
  const value = (settings as unknown as Record<string, Record<string, unknown>>)[section]?.[key];
  return setting.secret && value !== setting.default ? "(secret)" : value;
}

function showSettings(context: Context, all: boolean): ExitName {
  const { output, resolved } = context;
  const rows = settingNames
    .map((known) => ({
      name: known.name,
      value: valueNamed(context, known),
      source: resolved.sources.get(known.name) ?? "default",
      variable: known.variable,
    }))
    .filter(({ source }) => all || source !== "default");
  for (const line of table(rows.map(({ name, value, source }) => [name, JSON.stringify(value), source]))) {
    output.line(line);
  }
  if (rows.length === 0) output.line("all settings are at their defaults");
  output.json({ settings: rows });
  return "OK";
}

/** Names and values have been checked by now: with a problem there is no context. */
function checkSettings(context: Context): ExitName {
  const { output, resolved } = context;
  const missing = settingNames
    .filter(({ name, setting }) => (setting.kind === "path" && !MADE.has(name)) || PATH_LISTS.has(name))
    .flatMap((known) => [valueNamed(context, known)].flat().map((path) => ({ name: known.name, path: String(path) })))
    .filter(({ path }) => path !== "" && !existsSync(path));
  for (const { name, path } of missing) output.note(`nightjar: ${name}: ${path} does not exist`);
  output.json({ ok: missing.length === 0, missing });
  if (missing.length > 0) return "USAGE";
  const set = [...resolved.sources.values()].filter((source) => source !== "default").length;
  output.line(`the settings are fine: ${set} set, the others at their defaults`);
  return "OK";
}

function applySettings({ output, resolved, stateDir }: Context): ExitName {
  const file = statePaths.disabled(stateDir);
  const why = disabledBy(resolved);
  try {
    if (why === undefined) rmSync(file, { force: true });
    else {
      mkdirSync(dirname(file), { recursive: true, mode: PUBLIC_FOLDER_MODE });
      writeFileAtomic(file, `${why}\n`, PUBLIC_FILE_MODE);
    }
  } catch (error) {
    throw new CommandError("NOT_PERMITTED", `${file} cannot be changed: ${(error as Error).message}`);
  }
  output.line(why === undefined ? "the sensor is enabled" : `the sensor is disabled: ${why}`);
  output.json({ enabled: why === undefined, why: why ?? "" });
  return "OK";
}
