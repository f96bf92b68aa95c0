// One HTTP/2 connection to the portal, with each call's access token.
import type { TLSSocket } from "node:tls";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { Endpoint } from "../endpoint.ts";
import type { PortalFailure } from "../failure.ts";
import { PING_INTERVAL_MS, PING_TIMEOUT_MS, RESPONSE_BYTES_MAX } from "../limits.ts";
import { getOver, type RestBody, type RestHead, type RestRequest } from "./rest.ts";
import { openSecureSocket } from "./secure-socket.ts";
import { within } from "./time-limit.ts";

export interface ConnectionOptions {
  endpoint: Endpoint;
  /** Gives the access token of a call. Rejects with a PortalFailure. */
  token: () => Promise<string>;
  timeoutMs: number;
  signal: AbortSignal;
  /** Told when it has ended, whoever ended it. */
  closed: (connection: Connection) => void;
}

export class Connection {
  readonly transport: Transport;
  /** What its socket failed with. */
  fault: Error | undefined;
  /** Why it was ended by us. */
  ended: PortalFailure | undefined;
  readonly #sessions: Http2SessionManager;
  readonly #token: () => Promise<string>;

  constructor(socket: TLSSocket, { endpoint, token, closed }: ConnectionOptions) {
    const { url, embedded } = endpoint;
    this.#token = token;
    socket.on("error", (error) => {
      this.fault = error;
    });
    socket.once("close", () => closed(this));
    this.#sessions = new Http2SessionManager(
      url,
      { pingIntervalMs: PING_INTERVAL_MS, pingTimeoutMs: PING_TIMEOUT_MS },
      // HTTP/2 wants its socket at once, and the way through a proxy takes a while: so it was opened before.
      { createConnection: () => socket },
    );
    const authorize: Interceptor = (next) => async (request) => {
      request.header.set("authorization", `Bearer ${await token()}`);
      return next(request);
    };
    this.transport = createGrpcTransport({
      baseUrl: url,
      sessionManager: this.#sessions,
      interceptors: [authorize],
      readMaxBytes: RESPONSE_BYTES_MAX,
      ...(!embedded && { sendCompression: compressionGzip }),
    });
  }

  /** Gets something over REST; resolves with what `take` makes of the answer. */
  async get<Taken>(request: RestRequest, take: (head: RestHead, body: RestBody) => Promise<Taken>): Promise<Taken> {
    const headers = { ...request.headers, authorization: `Bearer ${await this.#token()}` };
    return getOver(this.#sessions, { ...request, headers }, take);
  }

  /** Calls under way fail for this reason. */
  drop(why: PortalFailure): void {
    this.ended = why;
    this.#sessions.abort();
  }
}

/** Rejects with a PortalFailure. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { endpoint, timeoutMs, signal } = options;
  const socket = await within(timeoutMs, signal, (limited) =>
    openSecureSocket(endpoint.way, new URL(endpoint.url), ["h2"], limited),
  );
  return new Connection(socket, options);
}
