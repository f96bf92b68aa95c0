// Calls to the portal over one HTTP/2 connection, which is made anew when it fails.
import { create, type DescService, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  HeartbeatRequestSchema,
  type HeartbeatResponse,
  SendDetectionsRequestSchema,
  SensorService,
} from "@nightjar/proto";
import type { Breaker } from "./breaker.ts";
import type { Endpoint } from "./endpoint.ts";
import { type FailureKind, failureOf, PortalFailure } from "./failure.ts";
import { PING_INTERVAL_MS, PING_TIMEOUT_MS, RESPONSE_BYTES_MAX } from "./limits.ts";

export interface PortalClientOptions {
  /** Called for each new connection; throws a PortalFailure when there is nowhere to connect to. */
  locate: () => Endpoint;
  timeoutMs: number;
  /** Keeps calls back; without one none is. */
  breaker?: Breaker;
  /** Aborted when the uplink stops; calls under way end then. */
  signal: AbortSignal;
}

interface Connection {
  sessions: Http2SessionManager;
  transport: Transport;
  /** Why it was ended, by whichever call found out. */
  ended?: PortalFailure;
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
  "reset",
]);
const UNAUTHENTICATED = "comm error (401)";

/** Each call rejects with a PortalFailure. */
export class PortalClient {
  readonly #options: PortalClientOptions;
  #connection: Connection | undefined;

  constructor(options: PortalClientOptions) {
    this.#options = options;
  }

  /** Resolves when the portal has stored all of them. */
  async sendDetections(request: MessageInitShape<typeof SendDetectionsRequestSchema>): Promise<void> {
    await this.call(SensorService, (sensors, options) =>
      sensors.sendDetections(create(SendDetectionsRequestSchema, request), options),
    );
  }

  async heartbeat(request: MessageInitShape<typeof HeartbeatRequestSchema>): Promise<HeartbeatResponse> {
    return await this.call(SensorService, (sensors, options) =>
      sensors.heartbeat(create(HeartbeatRequestSchema, request), options),
    );
  }

  /** The next call connects anew; those under way fail for this reason, which by default is none of the portal's. */
  disconnect(why = new PortalFailure("absent", "the portal has moved", "")): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    connection.ended = why;
    connection.sessions.abort();
  }

  /** Calls any of the portal's services over the one connection; resolves with what `work` does. */
  async call<Service extends DescService, Answer>(
    service: Service,
    work: (client: Client<Service>, options: CallOptions) => Promise<Answer>,
  ): Promise<Answer> {
    const { timeoutMs, signal, breaker } = this.#options;
    breaker?.assertOpenRoad();
    let connection: Connection | undefined;
    try {
      connection = this.#connection ??= this.#connect();
      const answer = await work(createClient(service, connection.transport), { timeoutMs, signal });
      breaker?.succeeded();
      return answer;
    } catch (error) {
      // Ended by us: what this call sees of it is not the cause.
      if (connection?.ended) throw connection.ended;
      const failure = failureOf(error);
      breaker?.failed(failure);
      const outdated = stale.has(failure.kind) || failure.message === UNAUTHENTICATED;
      if (outdated) this.disconnect(failure);
      throw failure;
    }
  }

  #connect(): Connection {
    const { url, certificate, token, embedded } = this.#options.locate();
    const sessions = new Http2SessionManager(
      url,
      { pingIntervalMs: PING_INTERVAL_MS, pingTimeoutMs: PING_TIMEOUT_MS },
      // Said here so that no variable of the environment can turn it off.
      { rejectUnauthorized: true, minVersion: "TLSv1.2", ...(certificate && { ca: certificate }) },
    );
    const authorize: Interceptor = (next) => (request) => {
      request.header.set("authorization", `Bearer ${token}`);
      return next(request);
    };
    const transport = createGrpcTransport({
      baseUrl: url,
      sessionManager: sessions,
      interceptors: [authorize],
      readMaxBytes: RESPONSE_BYTES_MAX,
      ...(!embedded && { sendCompression: compressionGzip }),
    });
    return { sessions, transport };
  }
}
