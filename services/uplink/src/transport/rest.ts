// Gets something over REST, on the connection that the calls go over.
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { Http2SessionManager } from "@connectrpc/connect-node";
import { failureWords, PortalFailure } from "../failure.ts";

/** The beginning of an answer over REST. */
export interface RestHead {
  status: number;
  headers: Readonly<IncomingHttpHeaders>;
}

/** What follows it, as it comes. */
export type RestBody = AsyncIterable<Uint8Array>;

export interface RestRequest {
  path: string;
  headers: Readonly<Record<string, string>>;
  /** For each piece of the answer. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** Resolves with what `take` makes of the answer, of whatever status: nothing is followed that leads elsewhere. */
export async function getOver<Taken>(
  sessions: Http2SessionManager,
  { path, headers, timeoutMs, signal }: RestRequest,
  take: (head: RestHead, body: RestBody) => Promise<Taken>,
): Promise<Taken> {
  const stream = await sessions.request("GET", path, { ...headers }, { endStream: true });
  const end = () => stream.destroy(new PortalFailure("timeout", failureWords.timeout.message, path));
  stream.setTimeout(timeoutMs, end);
  // Node throws away what came whole before anyone began to read (onStreamClose in lib/internal/http2/core.js).
  stream.pause();
  signal.addEventListener("abort", end, { once: true });
  try {
    const answer = await answerOf(stream);
    return await take({ status: Number(answer[":status"]), headers: answer }, read(stream, sessions));
  } finally {
    signal.removeEventListener("abort", end);
    stream.on("error", () => {}).destroy();
  }
}

/** The headers of an answer. A stream that is closed without one says so by that alone. */
function answerOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("error", reject);
    const hungUp = () => reject(new PortalFailure("reset", failureWords.reset.message, "closed without an answer"));
    stream.once("close", hungUp);
  });
}

/** Reads to the end, and lets the connection know that it lives. */
async function* read(stream: ClientHttp2Stream, sessions: Http2SessionManager): AsyncGenerator<Uint8Array> {
  for await (const bytes of stream) {
    sessions.notifyResponseByteRead(stream);
    yield bytes as Uint8Array;
  }
}
