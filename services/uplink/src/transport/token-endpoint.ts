// Asks the token endpoint: client credentials for an access token (RFC 6749, 4.4).
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { PortalFailure, pushBackMs } from "../failure.ts";
import { ANSWER_SHOWN_CHARS, TOKEN_ANSWER_BYTES_MAX } from "../limits.ts";
import type { Granted } from "./access-token.ts";
import type { ClientCredentials } from "./client-credentials.ts";
import { openSecureSocket, type Way } from "./secure-socket.ts";
import { within } from "./time-limit.ts";

/** What this client is: an account of another type gets no token. */
const SCOPE = "sensor";

export interface TokenRequest {
  url: URL;
  way: Way;
  credentials: ClientCredentials;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Rejects with a PortalFailure; `comm error (400)` for an account of the wrong type, 401 for wrong credentials. */
export async function askToken(asked: TokenRequest): Promise<Granted> {
  return within(asked.timeoutMs, asked.signal, async (signal) => grantedOf(await post(asked, signal)));
}

interface Answer {
  status: number;
  retryAfter: string;
  body: string;
}

/** Nothing is followed: a redirection would take the secret elsewhere. */
async function post({ url, way, credentials }: TokenRequest, signal: AbortSignal): Promise<Answer> {
  const socket = await openSecureSocket(way, url, ["http/1.1"], signal);
  const sent = request(url, {
    method: "POST",
    signal,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    createConnection: () => socket,
  });
  const { id, secret } = credentials;
  const form = { grant_type: "client_credentials", client_id: id, client_secret: secret, scope: SCOPE };
  sent.end(new URLSearchParams(form).toString());
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > TOKEN_ANSWER_BYTES_MAX) break;
    chunks.push(chunk);
  }
  sent.destroy();
  const retryAfter = answer.headers["retry-after"] ?? "";
  return { status: answer.statusCode ?? 0, retryAfter, body: Buffer.concat(chunks).toString() };
}

function grantedOf({ status, retryAfter, body }: Answer): Granted {
  const json = objectOf(body);
  if (status !== 200) {
    const said = [json.error, json.error_description].filter((one) => typeof one === "string").join(": ");
    const resp = said || body.trim() || `status ${status}`;
    const retryAfterMs = pushBackMs(new Headers({ "retry-after": retryAfter }), Date.now());
    throw new PortalFailure("comm", `comm error (${status})`, resp.slice(0, ANSWER_SHOWN_CHARS), undefined, {
      status,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
  const { access_token: token, expires_in: lifetimeS } = json;
  if (typeof token !== "string" || token === "" || typeof lifetimeS !== "number" || !(lifetimeS > 0)) {
    throw new PortalFailure("comm", "comm error (502)", "the token endpoint's answer has no access token");
  }
  return { token, lifetimeS };
}

function objectOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
