// `nightjar status`: how each stage is, what waits, and the ledger so far.
import { pause } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { readSensorState, type SensorState } from "../connect/sensor-state.ts";
import type { ExitName } from "../exit-codes.ts";
import { showStatus, statusJson } from "../show/status.ts";

const WAIT_SECONDS_MAX = 86_400;
const ASK_INTERVAL_MS = 200;

export function statusCommand(environment: Environment): Command {
  return define<{ wait?: number }>(environment, {
    name: "status",
    description: "Tell how each stage is: version, restarts, events, what waits for it, and the ledger so far.",
    options: [new Option("--wait <seconds>", "wait until every stage is ready, at most so long").argParser(Number)],
    examples: ["nightjar status --wait 30 && echo ready"],
    action: async (context, { wait }) => {
      if (wait !== undefined && !(wait >= 0 && wait <= WAIT_SECONDS_MAX)) {
        throw new CommandError("USAGE", `--wait: a number from 0 to ${WAIT_SECONDS_MAX} is allowed (seconds)`);
      }
      return wait === undefined ? status(context) : waitForReady(context, wait);
    },
  });
}

async function status(context: Context): Promise<ExitName> {
  tell(context, await ask(context));
  return "OK";
}

async function waitForReady(context: Context, seconds: number): Promise<ExitName> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const state = await ask(context).catch(notRunning);
    const over = performance.now() >= end || context.signal.aborted;
    if (state && (state.missing.length === 0 || over)) tell(context, state);
    if (state?.missing.length === 0) return "OK";
    if (over) {
      context.output.note(
        `nightjar: not ready after ${seconds} s: ${state ? state.missing.join(", ") : "no bus answers"}`,
      );
      return "NOT_READY";
    }
    await pause(ASK_INTERVAL_MS, context.signal);
  }
}

async function ask({ stateDir }: Context): Promise<SensorState> {
  const connection = await connectAs(stateDir, "operator");
  try {
    return await readSensorState(connection, stateDir);
  } finally {
    await connection.close();
  }
}

function notRunning(error: unknown): undefined {
  if (!(error instanceof CommandError)) throw error;
}

function tell({ output }: Context, state: SensorState): void {
  showStatus(output, state);
  output.json(statusJson(state));
}
