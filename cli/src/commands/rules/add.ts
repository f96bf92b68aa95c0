// `nightjar rules add` and `remove`: rules that stand in the state folder beside the sensor's own, a folder each.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, parse, resolve } from "node:path";
import { loadRules, SKIPPING_CODES } from "@nightjar/rules";
import { readRuleFiles, statePaths } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import type { ExitName } from "../../exit-codes.ts";
import { errorsOf, problemLine, sensorRulePaths } from "../../rules/load-paths.ts";

interface AddOptions {
  name?: string;
  force?: boolean;
}

const READABLE_FOLDER_MODE = 0o755;
const READABLE_FILE_MODE = 0o644;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function addRulesCommand(environment: Environment): Command {
  return define<AddOptions>(environment, {
    name: "add",
    description:
      "Copy a file or folder of rules into the state folder, where a running sensor takes them up at once. They are " +
      "checked together with the rules that are there; with an error nothing is changed. Rules for events that " +
      "the sensor does not make are told of and skipped. The same name again replaces.",
    arguments: [{ name: "<path>", description: "a file, or a folder with YAML files, of either language" }],
    options: [
      new Option("--name <name>", "what they are called from then on (default: the name of the file or folder)"),
      new Option(
        "--force",
        "add them with their errors: a running sensor keeps the rules before, the next uses what is right",
      ),
    ],
    settings: ["rule_engine.rules"],
    examples: ["nightjar rules add falco_rules.yaml", "nightjar rules add ~/sigma/rules/linux --name sigma"],
    action: async (context, options, [path = ""]) => add(context, resolve(path), options),
  });
}

async function add(context: Context, path: string, { name = parse(path).name, force = false }: AddOptions) {
  const { output, stateDir } = context;
  if (!NAME.test(name)) throw new CommandError("USAGE", `${name} is no name; letters, digits, dots and dashes are`);
  const { files, problems: unread } = readRuleFiles([path]);
  const [first] = unread;
  if (first) throw new CommandError("USAGE", `${first.file} cannot be read: ${first.message}`);
  if (files.length === 0) throw new CommandError("USAGE", `${path} has no YAML files`);
  const folder = join(statePaths.rules(stateDir), name);
  const others = readRuleFiles(sensorRulePaths(context)).files;
  const kept = others.filter((file) => !file.name.startsWith(`${folder}/`));
  const { rules, problems } = loadRules([...kept, ...files]);
  const own = new Set(files.map((file) => file.name));
  const skipped = problems.filter(({ file, code }) => own.has(file) && SKIPPING_CODES.has(code));
  const errors = errorsOf(problems).filter(({ file }) => own.has(file));
  for (const problem of [...errors, ...skipped]) output.note(problemLine(problem));
  const added = rules.filter(({ location }) => own.has(location.file)).length;
  const refused = errors.length > 0 && !force;
  if (!refused) copyInto(path, folder);
  const counts = { files: files.length, rules: added, skipped: skipped.length, errors: errors.length };
  output.json({ name, folder, ...counts, added: !refused });
  if (refused) output.note(`${errors.length} errors: nothing was changed; --force adds them all the same`);
  else
    output.line(
      `added ${added} rules of ${counts.files} files as ${name}; \`nightjar rules remove ${name}\` undoes it`,
    );
  return refused ? "FAILED" : "OK";
}

/** Into place in one step, since a running sensor looks at once. */
function copyInto(path: string, folder: string): void {
  const fresh = `${dirname(folder)}.adding-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  const isFolder = statSync(path).isDirectory();
  mkdirSync(isFolder ? dirname(fresh) : fresh, { recursive: true, mode: 0o700 });
  cpSync(path, isFolder ? fresh : join(fresh, basename(path)), { recursive: true, dereference: true });
  letStagesRead(fresh);
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

/** Whoever adds them: under systemd the rule engine is a user of its own. */
function letStagesRead(folder: string): void {
  chmodSync(folder, READABLE_FOLDER_MODE);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? READABLE_FOLDER_MODE : READABLE_FILE_MODE);
  }
}

export function removeRulesCommand(environment: Environment): Command {
  return define(environment, {
    name: "remove",
    description: "Remove rules that were added; without a name, list what was added.",
    arguments: [{ name: "[name]", description: "what they are called" }],
    examples: ["nightjar rules remove", "nightjar rules remove sigma"],
    action: async (context, _options, [name]) => (name === undefined ? listAdded(context) : remove(context, name)),
  });
}

function listAdded({ output, stateDir }: Context): ExitName {
  const folder = statePaths.rules(stateDir);
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    output.line(name);
    output.json({ name, folder: join(folder, name) });
  }
  return "OK";
}

function remove({ output, stateDir }: Context, name: string): ExitName {
  const folder = join(statePaths.rules(stateDir), name);
  if (!NAME.test(name) || !existsSync(folder)) throw new CommandError("FAILED", `no rules were added as ${name}`);
  rmSync(folder, { recursive: true });
  output.line(`removed ${name}`);
  output.json({ name, removed: true });
  return "OK";
}
