// Calls to the portal over one HTTP/2 connection, which is made anew when it fails.
import assert from "node:assert/strict";
import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import {
  type HeartbeatRequestSchema,
  type HeartbeatResponse,
  type SendDetectionsRequestSchema,
  SensorService,
} from "@nightjar/proto";
import type { Breaker } from "./breaker.ts";
import type { Endpoint } from "./endpoint.ts";
import { type FailureKind, failureOf, failureWords, PortalFailure } from "./failure.ts";
import { AccessToken, type Granted } from "./transport/access-token.ts";
import type { ClientCredentials } from "./transport/client-credentials.ts";
import { type Connection, openConnection } from "./transport/connection.ts";
import type { RestBody, RestHead } from "./transport/rest.ts";
import { askToken } from "./transport/token-endpoint.ts";

export interface PortalClientOptions {
  /** Called for each new connection; throws a PortalFailure when there is nowhere to connect to. */
  locate: () => Endpoint;
  /** Of the service account; asked for each access token. Rejects with a PortalFailure. */
  credentials: () => Promise<ClientCredentials>;
  /** Told of a renewal of the access token that failed while the old one is still good. */
  renewalFailed: (failure: PortalFailure) => void;
  timeoutMs: number;
  /** Keeps calls back; without one none is. */
  breaker?: Breaker;
  /** Aborted when the uplink stops; calls under way end then. */
  signal: AbortSignal;
}

/** What each call is given. */
export interface CallOptions {
  timeoutMs: number;
  signal: AbortSignal;
}

/** After these the connection, or what was read for it, may be what is wrong. A portal that answered is kept. */
const stale: ReadonlySet<FailureKind> = new Set([
  "dns",
  "refused",
  "unreachable",
  "timeout",
  "tls",
  "certificate",
  "proxy",
  "reset",
]);

/** Each call rejects with a PortalFailure. */
export class PortalClient {
  readonly #options: PortalClientOptions;
  readonly #token: AccessToken;
  #connection: Promise<Connection> | undefined;

  constructor(options: PortalClientOptions) {
    this.#options = options;
    this.#token = new AccessToken({
      fetch: () => this.#askToken(),
      renewalFailed: options.renewalFailed,
      clock: () => performance.now(),
      random: Math.random,
    });
  }

  /** Resolves when the portal has stored all of them. */
  async sendDetections(request: MessageInitShape<typeof SendDetectionsRequestSchema>): Promise<void> {
    await this.call(SensorService, (sensors, options) => sensors.sendDetections(request, options));
  }

  async heartbeat(request: MessageInitShape<typeof HeartbeatRequestSchema>): Promise<HeartbeatResponse> {
    return await this.call(SensorService, (sensors, options) => sensors.heartbeat(request, options));
  }

  /** The next call connects anew; those under way fail for this reason, which by default is none of the portal's. */
  disconnect(why = new PortalFailure("absent", "the portal has moved", "")): void {
    const connecting = this.#connection;
    this.#connection = undefined;
    connecting?.then(
      (connection) => connection.drop(why),
      // Whoever waits for it is told.
      () => {},
    );
  }

  /** Calls any of the portal's services over the one connection; resolves with what `work` does. */
  async call<Service extends DescService, Answer>(
    service: Service,
    work: (client: Client<Service>, options: CallOptions) => Promise<Answer>,
  ): Promise<Answer> {
    const { timeoutMs, signal } = this.#options;
    return await this.#do(({ transport }) => work(createClient(service, transport), { timeoutMs, signal }));
  }

  /** Gets something over REST, on the same connection; resolves with what `take` makes of the answer. */
  async get<Taken>(
    path: string,
    headers: Readonly<Record<string, string>>,
    take: (head: RestHead, body: RestBody) => Promise<Taken>,
  ): Promise<Taken> {
    const { timeoutMs, signal } = this.#options;
    return await this.#do((connection) => connection.get({ path, headers, timeoutMs, signal }, take));
  }

  async #do<Answer>(work: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    const held = this.#token.current;
    try {
      return await this.#doOnce(work);
    } catch (error) {
      // A token that was good may have been revoked, or the portal's clock set: once, another one is tried at once.
      if (held === undefined || !isUnauthenticated(error)) throw error;
      this.#token.drop(held);
      return await this.#doOnce(work);
    }
  }

  async #doOnce<Answer>(work: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    const { breaker } = this.#options;
    breaker?.assertOpenRoad();
    this.#connection ??= this.#connect();
    const connecting = this.#connection;
    let connection: Connection | undefined;
    try {
      connection = await connecting;
      const answer = await work(connection);
      breaker?.succeeded();
      return answer;
    } catch (error) {
      // Ended by us: what this call sees of it is not the cause.
      if (connection?.ended) throw connection.ended;
      const failure = failureOf(error, Date.now, connection?.fault);
      breaker?.failed(failure);
      const isOutdated = connection === undefined || stale.has(failure.kind) || isUnauthenticated(failure);
      if (isOutdated && this.#connection === connecting) this.disconnect(failure);
      throw failure;
    }
  }

  async #connect(): Promise<Connection> {
    const { locate, timeoutMs, signal } = this.#options;
    const endpoint = locate();
    const { access } = endpoint;
    return openConnection({
      ...{ endpoint, timeoutMs, signal },
      token: async () => ("token" in access ? access.token : this.#token.get()),
      closed: (connection) => void this.#forget(connection),
    });
  }

  /** A connection that ended by itself is no longer the one to use. */
  async #forget(connection: Connection): Promise<void> {
    const current = this.#connection;
    const known = await current?.catch(() => undefined);
    if (known === connection && this.#connection === current) this.#connection = undefined;
  }

  /** Where the token endpoint is, and the credentials, are looked up anew: both may have been mended meanwhile. */
  async #askToken(): Promise<Granted> {
    const { locate, credentials, timeoutMs, signal } = this.#options;
    const { way, access } = locate();
    assert("tokenUrl" in access, "an access token was given");
    return askToken({ url: access.tokenUrl, way, credentials: await credentials(), timeoutMs, signal });
  }
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof PortalFailure && error.message === failureWords.unauthenticated.message;
}
