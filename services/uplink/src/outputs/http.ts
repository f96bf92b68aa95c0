// One POST to a receiver of detections: its certificate checked, its time and its answer limited, no redirect followed.
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { readSmallFile } from "@nightjar/stage";
import { failureOf } from "../failure.ts";
import { OUTPUT_ANSWER_BYTES_MAX, OUTPUT_RETRY_AFTER_MS_MAX } from "../limits.ts";
import { OutputFailure } from "./output.ts";

export interface Receiver {
  url: string;
  /** PEM file of the authorities; "" for the system's. */
  caFile: string;
  /** Lines "Name: value"; "" for none. */
  headersFile: string;
  timeoutMs: number;
  connectionsMax: number;
}

export interface Post {
  headers: Record<string, string>;
  body: Uint8Array;
  signal: AbortSignal;
}

const MS_PER_S = 1_000;
/** What is sent is at fault, not the receiver or the way to it (RFC 9110, RFC 4918). */
const REFUSED = new Set([400, 413, 422]);
const EXPLANATION_CHARACTERS_MAX = 200;

export class HttpSender {
  readonly #receiver: Receiver;
  readonly #url: URL;
  #agent: { ca: string | undefined; agent: HttpAgent | HttpsAgent } | undefined;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
    this.#url = new URL(receiver.url);
  }

  /** Resolves with the body of an answer of 2xx; rejects with an OutputFailure. */
  async post({ headers, body, signal }: Post): Promise<Uint8Array> {
    const { headersFile, timeoutMs } = this.#receiver;
    const late = AbortSignal.timeout(timeoutMs);
    const options = {
      method: "POST",
      headers: { "user-agent": "nightjar", ...readHeaders(headersFile), ...headers, "content-length": body.length },
      agent: this.#agentNow(),
      signal: AbortSignal.any([signal, late]),
    };
    const request = this.#url.protocol === "https:" ? requestHttps : requestHttp;
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        request(this.#url, options, resolve).on("error", reject).end(body);
      });
      return judge(answer, await readBody(answer));
    } catch (error) {
      if (error instanceof OutputFailure) throw error;
      if (late.aborted) throw new OutputFailure(`Connection Failed: timed out after ${timeoutMs} ms`);
      const { message, resp } = failureOf(error);
      throw new OutputFailure(`${message} (${resp})`, { cause: error });
    }
  }

  /** The authorities are read anew each time, so that they can be replaced while the sensor runs. */
  #agentNow(): HttpAgent | HttpsAgent {
    const { caFile, connectionsMax } = this.#receiver;
    const ca = caFile === "" ? undefined : readSmallFile(caFile);
    if (caFile !== "" && !ca) throw new OutputFailure(`${caFile} cannot be read`);
    if (this.#agent && this.#agent.ca === ca) return this.#agent.agent;
    this.#agent?.agent.destroy();
    const shared = { keepAlive: true, maxSockets: connectionsMax };
    // HTTPS_PROXY and NO_PROXY hold here as they do on the way to the portal; http is for this host alone.
    const agent =
      this.#url.protocol === "https:"
        ? new HttpsAgent({ ...shared, minVersion: "TLSv1.2", proxyEnv: process.env, ...(ca && { ca }) })
        : new HttpAgent(shared);
    this.#agent = { ca, agent };
    return agent;
  }
}

function readHeaders(file: string): Record<string, string> {
  if (file === "") return {};
  const text = readSmallFile(file);
  if (text === undefined) throw new OutputFailure(`${file} cannot be read`);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([!#$%&'*+.^`|~\w-]+):\s*([\t\x20-\x7e]*)$/.exec(line.trim()) ?? [];
      // What stands there may be a secret, so it is not repeated.
      if (name === undefined || value === undefined) throw new OutputFailure(`${file}: a line is no "Name: value"`);
      return [name.toLowerCase(), value];
    }),
  );
}

async function readBody(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > OUTPUT_ANSWER_BYTES_MAX) {
      answer.destroy();
      throw new OutputFailure(`the answer is longer than ${OUTPUT_ANSWER_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function judge({ statusCode = 0, headers }: IncomingMessage, body: Buffer): Uint8Array {
  if (statusCode >= 200 && statusCode < 300) return body;
  const said = body.toString("utf8").replaceAll(/\s+/g, " ").slice(0, EXPLANATION_CHARACTERS_MAX);
  throw new OutputFailure(`the receiver answered ${statusCode}${said === "" ? "" : `: ${said}`}`, {
    permanent: REFUSED.has(statusCode),
    retryAfterMs: retryAfterMs(headers["retry-after"]),
  });
}

/** Seconds or a date (RFC 9110, 10.2.3); 0 where there is none. */
function retryAfterMs(header: string | undefined): number {
  if (header === undefined) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * MS_PER_S : Date.parse(header) - Date.now();
  return ms > 0 ? Math.min(ms, OUTPUT_RETRY_AFTER_MS_MAX) : 0;
}
