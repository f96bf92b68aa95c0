// The command line's way to the embedded portal: its address, certificate and token lie in the state folder.
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@nightjar/proto";
import { readSmallFile, statePaths } from "@nightjar/stage";
import { CommandError } from "../command.ts";

export type PortalClient = Client<typeof QueryService>;

/** The portal's address, undefined while it has not written it. */
export function portalAddress(stateDir: string): string | undefined {
  return readSmallFile(statePaths.portalAddress(stateDir));
}

/** @throws CommandError NOT_RUNNING when no portal ever ran at this state folder. */
export function connectPortal(stateDir: string): PortalClient {
  const baseUrl = portalAddress(stateDir);
  const certificate = readSmallFile(statePaths.portalCertificate(stateDir));
  const token = readSmallFile(statePaths.portalToken(stateDir));
  if (!baseUrl || !certificate || !token) {
    throw new CommandError("NOT_RUNNING", `no portal is known in ${stateDir}: start the sensor with \`nightjar run\``);
  }
  const transport = createGrpcTransport({
    baseUrl,
    nodeOptions: { ca: certificate },
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  return createClient(QueryService, transport);
}

/** Whether the portal cannot be reached now, as against having refused. */
export function isAway(error: unknown): boolean {
  return (
    error instanceof ConnectError && [Code.Unavailable, Code.Aborted, Code.Canceled, Code.Unknown].includes(error.code)
  );
}
