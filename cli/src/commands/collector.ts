// `nightjar collector unload`: takes out of the kernel what a collector left pinned there.
import { existsSync, readdirSync, statSync } from "node:fs";
import { listPinFolders, pinPaths, removePins, removePinsOf } from "@nightjar/stage";
import { Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { isCollectorRunning } from "../supervisor/collector-lock.ts";

interface UnloadOptions {
  all?: boolean;
}

export function collectorCommand(environment: Environment): Command {
  const unload = define<UnloadOptions>(environment, {
    name: "unload",
    description:
      "Unload the kernel programs that a collector left running; `nightjar run` does so when it ends by itself.",
    options: [new Option("--all", "of all sensors, those whose state folder is gone too")],
    settings: ["collector.bpffs"],
    examples: ["sudo nightjar collector unload --state-dir /var/lib/nightjar", "sudo nightjar collector unload --all"],
    action: async (context, { all = false }) => (all ? unloadAll(context) : unloadOne(context)),
  });
  return new Command("collector").description("Work with the collector's part in the kernel.").addCommand(unload);
}

function unloadOne({ settings, stateDir, output }: Context): ExitName {
  if (!existsSync(stateDir)) {
    throw new CommandError("USAGE", `there is no ${stateDir}; --all unloads what belongs to folders that are gone`);
  }
  const { bpffs } = settings.collector;
  checkRights(bpffs);
  if (isCollectorRunning(stateDir)) {
    throw new CommandError("ALREADY_RUNNING", `the collector of ${stateDir} is running; stop it first`);
  }
  const removed = removePinsOf(bpffs, stateDir);
  output.note(removed ? "unloaded" : "nothing of this sensor is in the kernel");
  output.json({ unloaded: removed ? [pinPaths.folder(bpffs, stateDir)] : [], running: [] });
  return "OK";
}

/** Leaves alone what a collector works with, and says so. */
function unloadAll({ settings, output }: Context): ExitName {
  checkRights(settings.collector.bpffs);
  const unloaded: string[] = [];
  const running: string[] = [];
  for (const { folder, stateDir } of listPinFolders(settings.collector.bpffs)) {
    if (stateDir !== undefined && isOf(folder, settings.collector.bpffs, stateDir) && isCollectorRunning(stateDir)) {
      output.note(`left alone: ${folder}, the collector of ${stateDir} is running`);
      running.push(folder);
      continue;
    }
    removePins(folder);
    output.note(`unloaded ${folder}`);
    unloaded.push(folder);
  }
  output.json({ unloaded, running });
  return running.length > 0 ? "ALREADY_RUNNING" : "OK";
}

/** What may not be looked into would look empty. */
function checkRights(bpffs: string): void {
  try {
    readdirSync(pinPaths.root(bpffs));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") return;
    throw new CommandError("NOT_PERMITTED", `${pinPaths.root(bpffs)} may not be read; run it as root`);
  }
}

/** Whether the state folder is still the one the pins were made for, not a later one of that name. */
function isOf(folder: string, bpffs: string, stateDir: string): boolean {
  return existsSync(stateDir) && statSync(stateDir).isDirectory() && pinPaths.folder(bpffs, stateDir) === folder;
}
