// The command line as a whole: all commands in their order.
import { SENSOR_VERSION } from "@nightjar/stage";
import { Command } from "commander";
import type { Environment } from "./command.ts";
import { actorsCommand } from "./commands/actors.ts";
import { collectorCommand } from "./commands/collector.ts";
import { completionCommand, manCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config.ts";
import { containersCommand } from "./commands/containers.ts";
import { decodeCommand } from "./commands/decode.ts";
import { detectionsCommand } from "./commands/detections.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { explainCommand } from "./commands/explain.ts";
import { healthCommand } from "./commands/health.ts";
import { indicatorsCommand } from "./commands/indicators.ts";
import { inventoryCommand } from "./commands/inventory.ts";
import { logsCommand } from "./commands/logs.ts";
import { outputsCommand } from "./commands/outputs.ts";
import { portalCommand } from "./commands/portal.ts";
import { recordCommand } from "./commands/record.ts";
import { rulesCommand } from "./commands/rules.ts";
import { runCommand } from "./commands/run.ts";
import { stageCommand } from "./commands/stage.ts";
import { statisticsCommand } from "./commands/statistics.ts";
import { statusCommand } from "./commands/status.ts";
import { supportPackageCommand } from "./commands/support-package.ts";
import { tapCommand } from "./commands/tap.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { versionCommand } from "./commands/version.ts";

/** Each makes one command; the order is that of the help. */
const COMMANDS: readonly ((environment: Environment) => Command)[] = [
  runCommand,
  statusCommand,
  healthCommand,
  detectionsCommand,
  containersCommand,
  indicatorsCommand,
  inventoryCommand,
  explainCommand,
  outputsCommand,
  statisticsCommand,
  actorsCommand,
  tapCommand,
  recordCommand,
  decodeCommand,
  rulesCommand,
  portalCommand,
  configCommand,
  doctorCommand,
  logsCommand,
  supportPackageCommand,
  collectorCommand,
  uninstallCommand,
  stageCommand,
  completionCommand,
  manCommand,
  versionCommand,
];

export function buildProgram(environment: Environment): Command {
  const { stdout, stderr } = environment.streams;
  const program = new Command("nightjar")
    .description("Nightjar watches every process of this machine and tells what is malicious.")
    .version(SENSOR_VERSION, "-V, --version")
    // Flags behind a command's name are that command's, though the one above it has some of the same name.
    .enablePositionalOptions()
    .showHelpAfterError("(--help shows what is allowed)");
  for (const make of COMMANDS) program.addCommand(make(environment));
  const configure = (command: Command) => {
    command.exitOverride();
    command.configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) });
    for (const inner of command.commands) configure(inner);
  };
  configure(program);
  return program;
}
