// The command line's way onto the bus: with the operator's key to ask, or with the listener's to listen.

import type { NatsConnection } from "@nats-io/transport-node";
import { busCredentials, connectOnce } from "@nightjar/stage";
import { CommandError } from "../command.ts";

/** @throws CommandError NOT_RUNNING when there is no bus at this state folder. */
export async function connectAs(stateDir: string, name: "operator" | "listener"): Promise<NatsConnection> {
  const credentials = busCredentials(stateDir, name);
  if (!credentials) {
    throw new CommandError(
      "NOT_RUNNING",
      `no bus is known in ${stateDir}: start the sensor with \`nightjar run\`, or name its folder with --state-dir` +
        (process.getuid?.() === 0 ? "" : " (its keys are readable to the user who runs it)"),
    );
  }
  try {
    return await connectOnce(credentials.address, credentials.seed, name);
  } catch (error) {
    const why = (error as Error).message;
    throw new CommandError("NOT_RUNNING", `the bus at ${credentials.address} does not answer (${why})`);
  }
}
