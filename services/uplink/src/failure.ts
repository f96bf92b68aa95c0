// Why a call to the portal failed, in the words the runbooks know.
import { Code, ConnectError } from "@connectrpc/connect";

interface Words {
  message: string;
  /** What it means, and what a person can try. docs/reference/connectivity.md is made of this. */
  doc: string;
}

/** What is wrong with the way to the portal. */
const wayWords = {
  dns: {
    message: "dns error",
    doc:
      "The portal's name, or the proxy's, has no address. It may be for a moment only; if it stays, check the host's " +
      "resolver: `getent hosts PORTAL`, `curl -I https://PORTAL`.",
  },
  refused: {
    message: "Connection Failed: connection refused",
    doc: "Nobody listens there: the portal or the proxy is down, or the port is another. `curl -I https://PORTAL`.",
  },
  unreachable: {
    message: "Connection Failed: network unreachable",
    doc: "The host has no way to there: no route, no network. `ip route get ADDRESS`, `curl -I https://PORTAL`.",
  },
  timeout: {
    message: "Connection Failed: timed out",
    doc:
      "No answer within `uplink.call_timeout_ms`: something on the way drops packets, often a firewall, or the " +
      "portal is too slow. `curl -I --max-time 10 https://PORTAL`.",
  },
  tls: {
    message: "Connection Failed: tls connection init failed",
    doc:
      "Who answers speaks no TLS 1.2 or later with us, or hangs up: often a firewall that blocks the connection, or " +
      "a port that is none of TLS. With mutual TLS, the portal may miss `uplink.client_certificate_file`. " +
      "`curl -I https://PORTAL`.",
  },
  certificate: {
    message: "invalid peer certificate contents",
    doc:
      "The portal's certificate is expired, of another name, or of an authority that this host does not trust; or a " +
      "proxy puts its own in the place. Name the authority with `NIGHTJAR_HTTP_PROXY_CERT` or " +
      "`NIGHTJAR_EXTRA_SSL_CERT_DIR`, and check the clock: `curl -vI https://PORTAL`.",
  },
  proxy: {
    message: "Connection Failed: proxy refused",
    doc:
      "The proxy does not let the connection through: 407 wants other credentials in `HTTPS_PROXY`, 403 forbids the " +
      "portal's name or port, 502 to 504 say that it cannot reach the portal. " +
      '`curl -I --proxy "$HTTPS_PROXY" https://PORTAL`.',
  },
  reset: {
    message: "Connection Failed: connection reset",
    doc:
      "The connection broke in the middle. Once, it is nothing; often, something on the way cuts connections, or the " +
      "portal wants a certificate of this host (`uplink.client_certificate_file`) and hangs up.",
  },
} as const satisfies Record<string, Words>;

/** What the portal answered: `comm error` and the status. */
const answerWords = {
  wrong_type: {
    message: "comm error (400)",
    doc:
      "Invalid service account type: the account is not of type sensor. Make one: `nightjar portal account create " +
      "NAME --type sensor`. Or the portal takes a request not as it is; `resp` says which.",
  },
  unauthenticated: {
    message: "comm error (401)",
    doc:
      "Invalid credentials: check `NIGHTJAR_API_CLIENT_ID` and `NIGHTJAR_API_CLIENT_SECRET`, and whether the account " +
      "was revoked: `nightjar portal account list`.",
  },
  busy: {
    message: "comm error (429)",
    doc: "The portal has as much as it may take; it is tried again later.",
  },
  failing: {
    message: "comm error (503)",
    doc: "The portal cannot work now, as when its disk is full; `resp` and its log say why. It is tried again.",
  },
} as const satisfies Record<string, Words>;

export const failureWords = { ...wayWords, ...answerWords } satisfies Record<string, Words>;

export type FailureKind = keyof typeof wayWords | "absent" | "address" | "comm" | "held";

/** What an answer of the portal's said beside its words. */
interface Answer {
  /** As in HTTP. */
  status?: number;
  refusedIndex?: number;
  retryAfterMs?: number;
}

const STATUS_TOO_MANY_REQUESTS = 429;
const STATUS_CANCELED = 499;

function isSick(status: number): boolean {
  return status === STATUS_TOO_MANY_REQUESTS || status > STATUS_CANCELED;
}

/** A call to the portal that failed; the message is what is logged. */
export class PortalFailure extends Error {
  readonly kind: FailureKind;
  /** What the portal, or the system, said of it. */
  readonly resp: string;
  /** The place in the request of the detection that the portal will never take. */
  readonly refusedIndex: number | undefined;
  /** How long the portal asks to be left alone. */
  readonly retryAfterMs: number | undefined;
  /** More of the same calls would only make it worse: the portal does not answer, or says that it cannot. */
  readonly sick: boolean;

  constructor(kind: FailureKind, message: string, resp: string, cause?: unknown, answer: Answer = {}) {
    super(message, { cause });
    this.kind = kind;
    this.resp = resp;
    this.refusedIndex = answer.refusedIndex;
    this.retryAfterMs = answer.retryAfterMs;
    this.sick = kind === "timeout" || (answer.status !== undefined && isSick(answer.status));
  }
}

/** Node's and OpenSSL's codes, the first that matches an error of the chain of causes. */
const kinds: readonly (readonly [RegExp, keyof typeof wayWords])[] = [
  [/^(ENOTFOUND|EAI_\w+)$/, "dns"],
  [/^ECONNREFUSED$/, "refused"],
  [/^(ENETUNREACH|EHOSTUNREACH|ENETDOWN|EHOSTDOWN|EADDRNOTAVAIL)$/, "unreachable"],
  [/^(ETIMEDOUT|ERR_SOCKET_CONNECTION_TIMEOUT)$/, "timeout"],
  // X509_V_ERR_… as Node names them (node/src/crypto/crypto_common.cc), and its own check of the name.
  [/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/, "certificate"],
  [/^(ERR_TLS_CERT_|PATH_LENGTH_EXCEEDED|CRL_|ERROR_IN_CERT_)/, "certificate"],
  [/^(EPROTO|ERR_SSL_|ERR_TLS_|ERR_HTTP2_ERROR)/, "tls"],
  [/^(ECONNRESET|EPIPE|ERR_HTTP2_|ERR_STREAM_)/, "reset"],
];

/** What Node says when the peer hangs up before TLS is established; the code alone would be ECONNRESET. */
const BEFORE_TLS = "before secure TLS connection was established";

/** What connect-node says of a call whose connection ended under it, whatever code it gives that. */
const STREAM_CLOSED = /^http\/2 stream closed with error code/;

/** The status that the Connect protocol gives to each code (connectrpc.com/docs/protocol, "Error Codes"). */
const statuses: Record<Code, number> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

const REFUSED_DETECTION = /^detections\[(\d+)\]/;
const CHAIN_MAX = 10;
const MS_PER_S = 1_000;

/**
 * Turns whatever a call threw into its kind and words. `fault` is what the connection's socket failed with: Node's
 * HTTP/2 cancels the streams of a connection that TLS ends after its handshake, without the reason.
 * `clock` gives milliseconds since 1970.
 */
export function failureOf(error: unknown, clock = Date.now, fault?: Error): PortalFailure {
  if (error instanceof PortalFailure) return error;
  const chain = [...causes(error), ...causes(fault)];
  const known = chain.find((one) => one instanceof PortalFailure);
  if (known) return known;
  const resp = [...new Set(chain.map((one) => (one instanceof ConnectError ? one.rawMessage : one.message)))].join(
    ": ",
  );
  if (resp.includes(BEFORE_TLS)) return new PortalFailure("tls", wayWords.tls.message, resp, error);
  for (const one of chain.toReversed()) {
    const code = "code" in one && typeof one.code === "string" ? one.code : "";
    const kind = kinds.find(([pattern]) => pattern.test(code))?.[1];
    if (kind) return new PortalFailure(kind, wayWords[kind].message, resp, error);
  }
  const answer = ConnectError.from(error);
  if (STREAM_CLOSED.test(answer.rawMessage)) return new PortalFailure("reset", wayWords.reset.message, resp, error);
  if (answer.code === Code.DeadlineExceeded) return new PortalFailure("timeout", wayWords.timeout.message, resp, error);
  const refused = answer.code === Code.InvalidArgument ? REFUSED_DETECTION.exec(answer.rawMessage)?.[1] : undefined;
  const status = statuses[answer.code];
  const retryAfterMs = pushBackMs(answer.metadata, clock());
  return new PortalFailure("comm", `comm error (${status})`, resp, error, {
    status,
    ...(refused !== undefined && { refusedIndex: Number(refused) }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/**
 * How long the portal asks to be left alone: gRPC's push-back in milliseconds (gRFC A6), where what is no number or
 * below zero means not to try again, or HTTP's Retry-After in seconds or as a date (RFC 9110, 10.2.3).
 */
export function pushBackMs(headers: Headers, nowMs: number): number | undefined {
  const pushBack = headers.get("grpc-retry-pushback-ms");
  if (pushBack !== null) return /^\d+$/.test(pushBack) ? Number(pushBack) : Number.POSITIVE_INFINITY;
  const after = headers.get("retry-after");
  if (after === null) return undefined;
  if (/^\d+$/.test(after)) return Number(after) * MS_PER_S;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error && !chain.includes(one) && chain.length < CHAIN_MAX; one = one.cause) {
    chain.push(one);
  }
  return chain;
}
