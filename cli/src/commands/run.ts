// `nightjar run`: the whole sensor on this machine, supervised, with its detections as they happen.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { removePinsOf } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, checkEnabled, define, type Environment } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { endLeftovers } from "../supervisor/leftovers.ts";
import { lockStateFolder } from "../supervisor/lock.ts";
import { readRecord } from "../supervisor/record.ts";
import { missingRights } from "../supervisor/rights.ts";
import { Session } from "../supervisor/session.ts";

interface RunOptions {
  rules?: string[];
  suppressions?: string[];
  replay?: string;
  keepRunning?: boolean;
}

export function runCommand(environment: Environment): Command {
  return define<RunOptions>(environment, {
    name: "run",
    description: "Start the sensor with an embedded portal and print each detection as it happens, until Ctrl-C.",
    allSettings: true,
    options: [
      new Option("--rules <path...>", "files or folders of rules instead of the starter rules"),
      new Option("--suppressions <path...>", "files or folders of exceptions to them"),
      new Option(
        "--replay <file>",
        "play a recording instead of watching the kernel; needs no root; ends when all is processed",
      ),
      new Option("--keep-running", "with --replay: go on until Ctrl-C"),
    ],
    settingOf: ({ rules, suppressions, replay }) => ({
      ...(rules && { "--rule-engine-rules": rules }),
      ...(suppressions && { "--rule-engine-suppressions": suppressions }),
      ...(replay && { "--collector-replay-file": resolve(replay) }),
    }),
    examples: [
      "sudo nightjar run",
      "sudo nightjar run --rules my-rules.yaml --json",
      "nightjar run --replay recording.njr",
    ],
    action: (context, options) => run(context, options),
  });
}

async function run(context: Context, { keepRunning = false }: RunOptions): Promise<ExitName> {
  const { settings } = context;
  checkEnabled(context.resolved);
  const recording = settings.collector.replay_file;
  const { rules, suppressions } = settings.rule_engine;
  checkPaths([...rules, ...suppressions, ...(recording === "" ? [] : [recording])]);
  if (recording !== "" && settings.common.state_dir === "") return replayAside(context, keepRunning);
  const missing = recording === "" ? missingRights() : undefined;
  if (missing) throw new CommandError("NOT_PERMITTED", missing);
  return supervise(context, recording !== "" && !keepRunning);
}

/** A state folder remembers what it has processed, so a recording that is to be played again needs a fresh one. */
async function replayAside(context: Context, keepRunning: boolean): Promise<ExitName> {
  const stateDir = mkdtempSync(join(tmpdir(), "nightjar-replay-"));
  try {
    return await supervise({ ...context, stateDir }, !keepRunning);
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function supervise(context: Context, endsAfterReplay: boolean): Promise<ExitName> {
  const { stateDir, output, signal } = context;
  lockStateFolder(stateDir);
  const left = await endLeftovers(readRecord(stateDir));
  if (left.length > 0) output.note(`nightjar: ended what an earlier run left behind: ${left.join(", ")}`);
  const session = new Session(context, { endsAfterReplay });
  signal.addEventListener("abort", () => session.end("OK"), { once: true });
  try {
    return await session.run();
  } finally {
    // The collector leaves its programs running for the next; of a sensor that has ended nothing is to be left.
    removePinsOf(context.settings.collector.bpffs, stateDir);
  }
}

/** What is not there would only show in a stage's log. */
function checkPaths(paths: readonly string[]): void {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new CommandError("USAGE", `${missing} does not exist`);
}
