// gRPC over a Unix socket, as containerd and the runtimes below the kubelet speak it.
import { connect } from "node:net";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

/** Nobody looks at the authority of a call through a socket, but HTTP/2 wants one. */
const BASE_URL = "http://localhost";
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

export interface UnixTransport {
  transport: Transport;
  close(): void;
}

/** Connects with the first call, and again after a connection was lost. */
export function unixTransport(socketPath: string): UnixTransport {
  const sessions = new Http2SessionManager(BASE_URL, {}, { createConnection: () => connect(socketPath) });
  const transport = createGrpcTransport({
    baseUrl: BASE_URL,
    sessionManager: sessions,
    readMaxBytes: ANSWER_BYTES_MAX,
  });
  return { transport, close: () => sessions.abort() };
}

/**
 * What a call resolves with; undefined where there is no such thing, or the other side does not offer the call, as
 * containerd without its CRI plugin.
 */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (code === Code.NotFound || code === Code.Unimplemented) return undefined;
    throw error;
  }
}
