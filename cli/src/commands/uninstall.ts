// `nightjar uninstall`: ends the sensor, takes it out of the kernel and off the disk; says first what it would do.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { isAlive, pinPaths, removePinsOf, stageNames } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { table } from "../show/table.ts";
import { isCollectorRunning } from "../supervisor/collector-lock.ts";
import { endSupervisor } from "../supervisor/end.ts";
import { readRecord } from "../supervisor/record.ts";
import { findPackage } from "../uninstall/package.ts";

const STOP_MS_MAX = 90_000;

interface UninstallOptions {
  purge?: boolean;
  yes?: boolean;
  dryRun?: boolean;
}

interface Step {
  name: string;
  /** For a person, before it is done. */
  does: string;
  run: () => Promise<void> | void;
}

export function uninstallCommand(environment: Environment): Command {
  return define<UninstallOptions>(environment, {
    name: "uninstall",
    description:
      "Remove the sensor: its package, where it came as one, its processes and what it has in the kernel. State and " +
      "logs stay, unless --purge is given.",
    options: [
      new Option("--purge", "remove state, logs and settings, too"),
      new Option("--dry-run", "only say what would be done"),
      new Option("-y, --yes", "do it"),
    ],
    settings: ["log_dir", "collector.bpffs"],
    examples: ["sudo nightjar uninstall --dry-run", "sudo nightjar uninstall --purge --yes"],
    action: async (context, options) => {
      if (process.getuid?.() !== 0) throw new CommandError("NOT_PERMITTED", "uninstall must be run as root");
      const steps = await planSteps(context, options.purge === true);
      if (options.dryRun) return tell(context, steps, "would");
      if (options.yes) return carryOut(context, steps);
      tell(context, steps, "would");
      throw new CommandError("USAGE", "nothing was done: --yes does it");
    },
  });
}

async function planSteps({ settings, stateDir }: Context, purge: boolean): Promise<Step[]> {
  const steps: Step[] = [];
  const { bpffs } = settings.collector;
  const record = readRecord(stateDir);
  if (record && isAlive(record)) {
    const does = `end \`nightjar run\` (pid ${record.pid}) and its stages`;
    steps.push({ name: "stop", does, run: () => endSupervisor(record, STOP_MS_MAX) });
  }
  const installed = await findPackage(purge);
  if (installed) steps.push({ name: "package", does: installed.command, run: installed.remove });
  // Of a folder that is gone `collector unload --all` finds what is left.
  if (existsSync(stateDir) && existsSync(pinPaths.folder(bpffs, stateDir))) {
    const does = `take the sensor's programs out of the kernel (${pinPaths.folder(bpffs, stateDir)})`;
    steps.push({ name: "kernel", does, run: () => unload(bpffs, stateDir) });
  }
  if (!purge) return steps;
  const logs = settings.common.log_dir;
  for (const folder of [stateDir, ...(logs === "" ? [] : [logs])].filter(isOurs)) {
    steps.push({ name: "files", does: `remove ${folder}`, run: () => removeFolder(folder, stateDir) });
  }
  return steps;
}

/** What was named by mistake is left alone: a state folder has folders of stages, a log folder their logs. */
function isOurs(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const own = [...stageNames, "log", "run"].flatMap((name) => [name, `${name}.log`]);
  const names = readdirSync(folder);
  return names.some((name) => own.includes(name));
}

function unload(bpffs: string, stateDir: string): void {
  if (isCollectorRunning(stateDir)) throw new Error("its collector runs: `systemctl stop nightjar.target` ends it");
  removePinsOf(bpffs, stateDir);
}

function removeFolder(folder: string, stateDir: string): void {
  if (isCollectorRunning(stateDir)) throw new Error("the sensor still runs");
  rmSync(folder, { recursive: true, force: true });
}

function tell({ output, stateDir }: Context, steps: readonly Step[], status: string): ExitName {
  for (const line of table(steps.map(({ name, does }) => [name, does]))) output.line(line);
  if (steps.length === 0) output.line(`nothing of the sensor of ${stateDir} is here`);
  output.json({ steps: steps.map(({ name, does }) => ({ name, does, status })) });
  return "OK";
}

/** What fails does not keep the rest from being done, except files, which a running sensor would make anew. */
async function carryOut({ output, stateDir }: Context, steps: readonly Step[]): Promise<ExitName> {
  const rows: { name: string; does: string; status: string; problem?: string }[] = [];
  for (const { name, does, run } of steps) {
    try {
      await run();
      rows.push({ name, does, status: "done" });
      output.line(`done: ${does}`);
    } catch (error) {
      const problem = (error as Error).message;
      rows.push({ name, does, status: "failed", problem });
      output.note(`nightjar: failed: ${does}: ${problem}`);
    }
  }
  if (steps.length === 0) output.line(`nothing of the sensor of ${stateDir} is here`);
  if (!rows.some(({ name }) => name === "files") && existsSync(stateDir)) output.note(`kept: ${stateDir} (--purge)`);
  output.json({ steps: rows });
  return rows.some(({ status }) => status === "failed") ? "FAILED" : "OK";
}
