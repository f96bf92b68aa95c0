// The way to the portal, as the uplink's own program walks it.
import { settingsEnvironment } from "@nightjar/stage";
import { CommandError, type Context } from "../command.ts";
import { portalAddress } from "../connect/portal.ts";
import { askProgram } from "./ask-program.ts";
import type { Found } from "./machine.ts";

/** As the uplink's program prints them. */
export interface CheckedStep {
  step: string;
  ok: boolean;
  is: string;
  resp?: string;
  hint?: string;
}

/** With the settings and the environment that the uplink would have: what is found, the uplink finds. */
export async function walkToPortal({ resolved, stateDir, streams }: Context): Promise<CheckedStep[]> {
  const env = { ...streams.env, ...settingsEnvironment(resolved), NIGHTJAR_STATE_DIR: stateDir };
  try {
    return (await askProgram("uplink", ["--check"], env)) as CheckedStep[];
  } catch (error) {
    throw new CommandError("FAILED", (error as Error).message);
  }
}

/** Where the way ends, in a row. */
export async function wayFound(context: Context): Promise<Found> {
  const address = context.settings.uplink.portal_url || portalAddress(context.stateDir);
  if (!address) return { what: "portal", is: "the embedded one, which does not run" };
  const steps = await walkToPortal(context);
  const wrong = steps.find(({ ok }) => !ok);
  return wrong
    ? { what: "portal", is: `${address}, ${wrong.step}: ${wrong.is}`, code: "PORTAL_OUT_OF_REACH" }
    : { what: "portal", is: `${address} answers` };
}
