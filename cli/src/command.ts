// The frame of a command: its settings from flags, environment and file, its output, its exit code.
import { type ResolvedSettings, type SettingName, type Settings, settingNames } from "@nightjar/stage";
import { Command, Option } from "commander";
import { disabledBy } from "./disabled.ts";
import { type ExitName, exitCodes } from "./exit-codes.ts";
import { readSettings } from "./given-settings.ts";
import { Output, type Streams } from "./output.ts";

const SETTINGS_HEADING = "Settings (also NIGHTJAR_… in the environment, or in the file of --config):";
/** What every command takes; only `run` starts stages and so takes all the others too. */
const EVERYWHERE = ["state_dir", "log_level", "cli.color"];

/** A failure that a person can mend: its message is printed, the exit code tells a script. */
export class CommandError extends Error {
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string) {
    super(message);
    this.exit = exit;
  }
}

export interface Context {
  readonly settings: Settings;
  readonly resolved: ResolvedSettings;
  /** Absolute. */
  readonly stateDir: string;
  readonly output: Output;
  readonly streams: Streams;
  /** Aborted at SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Environment {
  streams: Streams;
  signal: AbortSignal;
  /** Told how the command ended. */
  ended(exit: ExitName): void;
  /** The command line as a whole. */
  program(): Command;
  /** Runs another command of ours; resolves with its exit code. */
  run(args: readonly string[], streams: Streams, signal: AbortSignal): Promise<number>;
}

export type Action<O> = (context: Context, options: O, args: string[]) => Promise<ExitName>;

export interface Definition<O> {
  name: string;
  description: string;
  /** In their order, as commander writes them: "[subject]". */
  arguments?: readonly { name: string; description: string }[];
  options?: readonly Option[];
  /** All settings are flags, not only those every command takes. */
  allSettings?: boolean;
  /** Settings that are flags beside those every command takes. */
  settings?: readonly string[];
  /** Flags that stand for a setting under a shorter name. */
  settingOf?: (options: O) => Record<string, unknown>;
  examples?: readonly string[];
  action: Action<O>;
}

/** Makes commander's command of a definition. */
export function define<O extends object>(environment: Environment, definition: Definition<O>): Command {
  const command = new Command(definition.name).description(definition.description);
  const { arguments: positional = [], options = [], settings = [], examples = [] } = definition;
  for (const argument of positional) command.argument(argument.name, argument.description);
  for (const option of options) command.addOption(option);
  command.option("--json", "write JSON, an object a line, and nothing else to standard output");
  command.option("--config <file>", "the settings file, YAML (also NIGHTJAR_CONFIG)");
  for (const known of settingNames) {
    const isFlag = definition.allSettings || EVERYWHERE.includes(known.name) || settings.includes(known.name);
    // A flag is there for every user of the host to read, in /proc.
    if (isFlag && !known.setting.secret) command.addOption(settingOption(known));
  }
  if (examples.length > 0) command.addHelpText("after", `\nExamples:\n${examples.map((one) => `  ${one}`).join("\n")}`);
  command.action(async () => {
    const given = command.opts<O & { json?: boolean; config?: string }>();
    const context = makeContext(environment, given, definition.settingOf?.(given) ?? {});
    environment.ended(context ? await definition.action(context, given, command.args) : "USAGE");
  });
  return command;
}

function settingOption({ flag, setting }: SettingName): Option {
  const allowed = setting.kind === "text" || setting.kind === "path" ? "" : ` (${setting.allowed})`;
  const option = new Option(`${flag} <${setting.kind}>`, `${setting.doc}${allowed}`);
  // Read under the flag's own name, so that none of commander's camel-case stands between.
  option.attributeName = () => flag;
  return option.helpGroup(SETTINGS_HEADING);
}

function makeContext(
  { streams, signal }: Environment,
  given: { json?: boolean; config?: string },
  more: Record<string, unknown>,
): Context | undefined {
  const flags = { ...(given as Record<string, unknown>), ...more };
  const { resolved, stateDir, problems } = readSettings(streams.env, { flags, config: given.config });
  const output = new Output(streams, { json: given.json === true, color: resolved.values.cli.color });
  for (const one of problems) output.note(`nightjar: ${one}`);
  if (problems.length > 0) return undefined;
  return { settings: resolved.values, resolved, stateDir, output, streams, signal };
}

/** The process's exit code for how a command ended. */
export function exitCodeOf(exit: ExitName): number {
  return exitCodes[exit].code;
}

/** Throws where the settings switch the sensor off. */
export function checkEnabled(resolved: ResolvedSettings): void {
  const why = disabledBy(resolved);
  if (why !== undefined) throw new CommandError("DISABLED", `the sensor is disabled: ${why}`);
}
