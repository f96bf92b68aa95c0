// POST /oauth/token: access tokens for client credentials (RFC 6749, 4.4), with its words for what is wrong (5.2).
import type { Logger } from "@nightjar/stage";
import { type HttpRequest, type HttpResponse, type HttpRoute, sendJson } from "../http-routes.ts";
import { TOKEN_REQUEST_BYTES_MAX, TOKEN_RETRY_AFTER_S } from "../limits.ts";
import { accountTypes } from "../principal.ts";
import { HashesFullError } from "./secret.ts";
import type { Tokens } from "./tokens.ts";
import type { Verified, Verifier } from "./verifier.ts";

export interface TokenEndpointOptions {
  verifier: Pick<Verifier, "verify">;
  tokens: Pick<Tokens, "issue" | "lifetimeS">;
  log: Pick<Logger, "warn">;
}

/** Why there is no token: the status, RFC 6749's word, and what a person should know. */
class Refusal extends Error {
  readonly status: number;
  readonly word: string;

  constructor(status: number, word: string, description: string) {
    super(description);
    this.status = status;
    this.word = word;
  }
}

export function tokenEndpoint(options: TokenEndpointOptions): HttpRoute {
  return {
    method: "POST",
    path: "/oauth/token",
    async handle(request, response) {
      try {
        sendJson(response, 200, await grant(options, request));
      } catch (error) {
        if (error instanceof HashesFullError) {
          const retry = { "retry-after": String(TOKEN_RETRY_AFTER_S) };
          sendJson(response, 503, { error: "temporarily_unavailable" }, retry);
        } else if (error instanceof Refusal) refuse(options, request, response, error);
        else throw error;
      }
    },
  };
}

async function grant({ verifier, tokens }: TokenEndpointOptions, request: HttpRequest): Promise<object> {
  const form = new URLSearchParams(await readBody(request));
  if (form.get("grant_type") !== "client_credentials") {
    throw new Refusal(400, "unsupported_grant_type", "grant_type must be client_credentials");
  }
  const { id, secret } = credentialsOf(request.headers.authorization, form);
  const verified = await verifier.verify(id, secret);
  if (!verified) throw new Refusal(401, "invalid_client", "invalid credentials: no valid service account has them");
  checkScope(form.get("scope"), verified);
  return {
    access_token: await tokens.issue(verified.account, verified.secretId),
    token_type: "Bearer",
    expires_in: tokens.lifetimeS,
    scope: verified.account.type,
  };
}

/** A client says with `scope` what it is; an account of another type gets no token, and the client learns it here. */
function checkScope(scope: string | null, { account }: Verified): void {
  if (scope === null || scope === account.type) return;
  const description = accountTypes.some((type) => type === scope)
    ? `invalid service account type: ${account.name} is of type ${account.type}, not ${scope}`
    : `scope must be one of ${accountTypes.join(", ")}`;
  throw new Refusal(400, "invalid_scope", description);
}

/** From the header Basic, in which both are form-encoded first (2.3.1), or from the form. */
function credentialsOf(header: string | undefined, form: URLSearchParams): { id: string; secret: string } {
  const basic = /^basic (.*)$/i.exec(header ?? "")?.[1];
  if (basic === undefined) return { id: form.get("client_id") ?? "", secret: form.get("client_secret") ?? "" };
  const [id = "", ...rest] = Buffer.from(basic, "base64").toString().split(":");
  return { id: formDecoded(id), secret: formDecoded(rest.join(":")) };
}

function formDecoded(text: string): string {
  return new URLSearchParams(`value=${text.replaceAll("&", "%26")}`).get("value") ?? "";
}

async function readBody(request: HttpRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > TOKEN_REQUEST_BYTES_MAX) {
      throw new Refusal(400, "invalid_request", `a request has at most ${TOKEN_REQUEST_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function refuse(
  { log }: TokenEndpointOptions,
  request: HttpRequest,
  response: HttpResponse,
  { status, word, message }: Refusal,
): void {
  log.warn("a client got no access token", { error: word, why: message, address: request.socket?.remoteAddress });
  const challenge = status === 401 ? { "www-authenticate": 'Basic realm="nightjar"' } : {};
  sendJson(response, status, { error: word, error_description: message }, challenge);
}
