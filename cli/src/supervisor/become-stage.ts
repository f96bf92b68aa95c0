// Turns this process into a stage's: as systemd's units and containers start it, without a supervisor above it.
import { execve } from "node:process";
import { disabledBy } from "../disabled.ts";
import type { ExitName } from "../exit-codes.ts";
import type { GivenSettings } from "../given-settings.ts";
import { entryOf, STOP_ORDER } from "./plan.ts";
import { NODE_FLAGS, stageEnvironment } from "./stage-environment.ts";

/** Returns only with why it cannot: the process, its number and its standard streams become the stage's. */
export function becomeStage(
  name: string,
  { resolved, stateDir }: Omit<GivenSettings, "problems">,
  env: Readonly<Record<string, string | undefined>>,
): { exit: ExitName; message: string } {
  const stage = STOP_ORDER.find((one) => one === name);
  if (!stage) return { exit: "USAGE", message: `${name} is no stage; those are ${STOP_ORDER.join(", ")}` };
  const why = disabledBy(resolved);
  if (why !== undefined) return { exit: "DISABLED", message: `the sensor is disabled: ${why}` };
  if (!execve) return { exit: "FAILED", message: "this Node cannot replace its process; 24 or later can" };
  const whole = stageEnvironment(stage, env, { resolved, stateDir });
  return execve(process.execPath, [process.execPath, ...NODE_FLAGS, entryOf(stage)], defined(whole));
}

/** Without the names that have no value, which execve(2) does not know. */
function defined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
