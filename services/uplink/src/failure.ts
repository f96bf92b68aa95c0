// Why a call to the portal failed, in the words the runbooks know.
import { Code, ConnectError } from "@connectrpc/connect";

export type FailureKind =
  | "absent"
  | "address"
  | "dns"
  | "refused"
  | "unreachable"
  | "timeout"
  | "tls"
  | "certificate"
  | "reset"
  | "comm"
  | "held";

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

const messages: Record<Exclude<FailureKind, "comm" | "absent" | "address" | "held">, string> = {
  dns: "dns error",
  refused: "Connection Failed: connection refused",
  unreachable: "Connection Failed: network unreachable",
  timeout: "Connection Failed: timed out",
  tls: "Connection Failed: tls connection init failed",
  certificate: "invalid peer certificate contents",
  reset: "Connection Failed: connection reset",
};

/** Node's and OpenSSL's codes, the first that matches an error of the chain of causes. */
const kinds: readonly (readonly [RegExp, keyof typeof messages])[] = [
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

/** Turns whatever a call threw into its kind and words; `clock` gives milliseconds since 1970. */
export function failureOf(error: unknown, clock = Date.now): PortalFailure {
  if (error instanceof PortalFailure) return error;
  const chain = causes(error);
  const resp = [...new Set(chain.map((one) => (one instanceof ConnectError ? one.rawMessage : one.message)))].join(
    ": ",
  );
  if (resp.includes(BEFORE_TLS)) return new PortalFailure("tls", messages.tls, resp, error);
  for (const one of chain.toReversed()) {
    const code = "code" in one && typeof one.code === "string" ? one.code : "";
    const kind = kinds.find(([pattern]) => pattern.test(code))?.[1];
    if (kind) return new PortalFailure(kind, messages[kind], resp, error);
  }
  const answer = ConnectError.from(error);
  if (STREAM_CLOSED.test(answer.rawMessage)) return new PortalFailure("reset", messages.reset, resp, error);
  if (answer.code === Code.DeadlineExceeded) return new PortalFailure("timeout", messages.timeout, resp, error);
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
function pushBackMs(headers: Headers, nowMs: number): number | undefined {
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
