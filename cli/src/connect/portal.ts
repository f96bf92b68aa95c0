// The command line's way to the embedded portal: its address, certificate and token lie in the state folder.
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@nightjar/proto";
import { readSmallFile, statePaths } from "@nightjar/stage";
import { CommandError, type Context } from "../command.ts";

export type PortalClient = Client<typeof QueryService>;

/** The portal's address, undefined while it has not written it. */
export function portalAddress(stateDir: string): string | undefined {
  return readSmallFile(statePaths.portalAddress(stateDir));
}

/** Where a portal is and how one gets in; the system's authorities vouch for it where there is no certificate. */
interface Access {
  baseUrl: string;
  certificate?: string;
  token: string;
}

/** @throws CommandError NOT_RUNNING when no portal ever ran at this state folder. */
export function connectPortal(stateDir: string): PortalClient {
  const baseUrl = portalAddress(stateDir);
  const certificate = readSmallFile(statePaths.portalCertificate(stateDir));
  const token = readSmallFile(statePaths.portalToken(stateDir));
  if (!baseUrl || !certificate || !token) {
    throw new CommandError("NOT_RUNNING", `no portal is known in ${stateDir}: start the sensor with \`nightjar run\``);
  }
  return connect({ baseUrl, certificate, token });
}

/** The portal that the sensor of these settings talks to: another than its own where they name one. */
export function connectPortalOf({ settings, stateDir }: Pick<Context, "settings" | "stateDir">): PortalClient {
  const { portal_url, portal_certificate_file, portal_token_file } = settings.uplink;
  if (portal_url === "") return connectPortal(stateDir);
  const token = readSmallFile(portal_token_file);
  if (!token) throw new CommandError("USAGE", `${portal_token_file} has no access token for ${portal_url}`);
  const certificate = portal_certificate_file === "" ? undefined : readSmallFile(portal_certificate_file);
  return connect({ baseUrl: portal_url, token, ...(certificate && { certificate }) });
}

function connect({ baseUrl, certificate, token }: Access): PortalClient {
  const transport = createGrpcTransport({
    baseUrl,
    nodeOptions: certificate === undefined ? {} : { ca: certificate },
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
