// The command line's way to the embedded portal: its address, certificate and token lie in the state folder.
import type { DescService } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
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

/** The settings that say which portal it is, as flags of a command that calls it. */
export const PORTAL_SETTINGS = ["uplink.portal_url", "uplink.portal_certificate_file", "uplink.portal_token_file"];

/**
 * Calls a service of the portal that the sensor of these settings talks to.
 *
 * @throws CommandError NOT_RUNNING when it cannot be reached, FAILED when it refuses.
 */
export async function callPortal<Service extends DescService, Answer>(
  context: Pick<Context, "settings" | "stateDir">,
  service: Service,
  work: (client: Client<Service>) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work(connectServiceOf(context, service));
  } catch (error) {
    if (isAway(error)) throw new CommandError("NOT_RUNNING", `the portal does not answer: ${(error as Error).message}`);
    if (error instanceof ConnectError) throw new CommandError("FAILED", `the portal refuses: ${error.rawMessage}`);
    throw error;
  }
}

/** @throws CommandError NOT_RUNNING when no portal ever ran at this state folder. */
export function connectPortal(stateDir: string): PortalClient {
  return createClient(QueryService, transportOf(embeddedAccess(stateDir)));
}

/** The portal that the sensor of these settings talks to: another than its own where they name one. */
export function connectPortalOf(context: Pick<Context, "settings" | "stateDir">): PortalClient {
  return connectServiceOf(context, QueryService);
}

/** The same, for any of its services. */
export function connectServiceOf<Service extends DescService>(
  context: Pick<Context, "settings" | "stateDir">,
  service: Service,
): Client<Service> {
  return createClient(service, transportOf(accessOf(context)));
}

function embeddedAccess(stateDir: string): Access {
  const baseUrl = portalAddress(stateDir);
  const certificate = readSmallFile(statePaths.portalCertificate(stateDir));
  const token = readSmallFile(statePaths.portalToken(stateDir));
  if (!baseUrl || !certificate || !token) {
    throw new CommandError("NOT_RUNNING", `no portal is known in ${stateDir}: start the sensor with \`nightjar run\``);
  }
  return { baseUrl, certificate, token };
}

function accessOf({ settings, stateDir }: Pick<Context, "settings" | "stateDir">): Access {
  const { portal_url, portal_certificate_file, portal_token_file } = settings.uplink;
  if (portal_url === "") return embeddedAccess(stateDir);
  const token = readSmallFile(portal_token_file);
  if (!token) throw new CommandError("USAGE", `${portal_token_file} has no access token for ${portal_url}`);
  const certificate = portal_certificate_file === "" ? undefined : readSmallFile(portal_certificate_file);
  return { baseUrl: portal_url, token, ...(certificate && { certificate }) };
}

function transportOf({ baseUrl, certificate, token }: Access): Transport {
  return createGrpcTransport({
    baseUrl,
    nodeOptions: certificate === undefined ? {} : { ca: certificate },
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
}

/** Whether the portal cannot be reached now, as against having refused. */
export function isAway(error: unknown): boolean {
  return (
    error instanceof ConnectError && [Code.Unavailable, Code.Aborted, Code.Canceled, Code.Unknown].includes(error.code)
  );
}
