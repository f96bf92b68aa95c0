// Speaks HTTP with the API server or a kubelet: one answer as JSON, or the lines of a watch.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { SENSOR_VERSION } from "@nightjar/stage";
import { type Json, objectAt, textAt } from "../formats/json.ts";

/** How long an answer may take to begin, and one that is no watch to end. */
export const ANSWER_MS_MAX = 30_000;
/** A list of 500 pods is 4 MB. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
/** An object may have 1.5 MB in etcd, and more as JSON. */
export const WATCH_LINE_BYTES_MAX = 16 * 1024 * 1024;
/** A connection that is silent is probed, so that one whose other end is gone ends. */
const KEEPALIVE_MS = 30_000;
/** A server that wants to be left alone for longer is asked again all the same. */
const RETRY_AFTER_MS_MAX = 120_000;
/** Of what a refusal says, a person needs the beginning. */
const REASON_CHARACTERS_MAX = 200;
/** Of a refusal's body no more is read. */
const REFUSAL_CHARACTERS_MAX = 16_384;
const MS_PER_S = 1_000;
const NEWLINE = 0x0a;

const NO_ANSWER = new Error(`no answer in ${ANSWER_MS_MAX / MS_PER_S} s`);

export type Query = Readonly<Record<string, string>>;

/** The server answered, but not with what was asked for. */
export class StatusError extends Error {
  /** HTTP's, or that of the Status object in a watch. */
  readonly status: number;
  /** How long the server wants to be left alone; 0 where it does not say. */
  readonly retryAfterMs: number;

  constructor(status: number, reason: string, retryAfterMs = 0) {
    super(`${status} ${reason}`.trim());
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What came over a watch cannot be read. */
export class GarbledError extends Error {}

/** An event of a watch, as the API documents it. */
export interface WatchEvent {
  readonly type: string;
  readonly object: Json;
}

/** What the reflector and the other askers need of a server. */
export interface Server {
  /** The object at `path`. Rejects with a StatusError, or with what the connection or the JSON is ill with. */
  get(path: string, query: Query, signal: AbortSignal): Promise<unknown>;
  /**
   * Opens a watch; rejects as `get` does. Its events come until the server ends it, an ERROR event like any other; a
   * line that is none throws a GarbledError, a connection that breaks what it is ill with.
   */
  watch(path: string, query: Query, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>;
}

export class ApiServer implements Server {
  readonly #load: () => Promise<KubeConfig>;
  #config: KubeConfig | undefined;

  /** `load` reads the configuration; it is called again when the server takes its credentials no longer. */
  constructor(load: () => Promise<KubeConfig>) {
    this.#load = load;
  }

  async get(path: string, query: Query, signal: AbortSignal): Promise<unknown> {
    const late = AbortSignal.timeout(ANSWER_MS_MAX);
    try {
      const response = await this.#open(path, query, AbortSignal.any([signal, late]));
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of response as AsyncIterable<Buffer>) {
        bytes += part.length;
        if (bytes > ANSWER_BYTES_MAX) throw new RangeError(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
        parts.push(part);
      }
      return JSON.parse(Buffer.concat(parts).toString());
    } catch (error) {
      throw late.aborted ? NO_ANSWER : error;
    }
  }

  async watch(path: string, query: Query, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>> {
    const opening = new AbortController();
    const late = setTimeout(() => opening.abort(), ANSWER_MS_MAX);
    try {
      const response = await this.#open(path, { ...query, watch: "true" }, AbortSignal.any([signal, opening.signal]));
      return eventsOf(linesOf(response as AsyncIterable<Buffer>));
    } catch (error) {
      throw opening.signal.aborted ? NO_ANSWER : error;
    } finally {
      clearTimeout(late);
    }
  }

  /** Resolves with an answer of status 200, of which only the head was read. */
  async #open(path: string, query: Query, signal: AbortSignal): Promise<IncomingMessage> {
    const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = {
      headers: { accept: "application/json", "user-agent": `nightjar/${SENSOR_VERSION}` },
      signal,
    };
    try {
      this.#config ??= await this.#load();
      const cluster = this.#config.getCurrentCluster();
      if (!cluster) throw new Error("the configuration has no current cluster");
      await this.#config.applyToHTTPSOptions(options);
      const url = new URL(cluster.server.replace(/\/+$/, "") + path);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const send = url.protocol === "http:" ? requestHttp : requestHttps;
      const response = await answered(send(url, options));
      if (response.statusCode !== 200) throw await refusal(response);
      return response;
    } catch (error) {
      // A token, a certificate or the address may have been replaced: read them again before the next try.
      if (!(error instanceof StatusError) || error.status === 401) this.#config = undefined;
      throw error;
    }
  }
}

function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
    request.on("socket", (socket) => socket.setKeepAlive(true, KEEPALIVE_MS));
    request.end();
  });
}

/** What the Status object in the body says, or the status alone. */
async function refusal(response: IncomingMessage): Promise<StatusError> {
  let text = "";
  for await (const part of response) {
    text += part;
    if (text.length > REFUSAL_CHARACTERS_MAX) break;
  }
  const status = response.statusCode ?? 0;
  const retryAfterS = Number(response.headers["retry-after"]) || 0;
  const retryAfterMs = Math.min(Math.max(retryAfterS, 0) * MS_PER_S, RETRY_AFTER_MS_MAX);
  return new StatusError(status, messageOf(text) || (response.statusMessage ?? ""), retryAfterMs);
}

function messageOf(text: string): string {
  try {
    return textAt(JSON.parse(text), "message").slice(0, REASON_CHARACTERS_MAX);
  } catch {
    return "";
  }
}

async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<WatchEvent> {
  for await (const line of lines) {
    let event: Json;
    try {
      event = objectAt(JSON.parse(line));
    } catch (cause) {
      throw new GarbledError("a line of the watch is no JSON", { cause });
    }
    yield { type: textAt(event.type), object: objectAt(event.object) };
  }
}

/** The lines of a stream; throws where one has more than WATCH_LINE_BYTES_MAX. What stands behind them is cut off. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    let from = 0;
    for (let end = part.indexOf(NEWLINE); end >= 0; end = part.indexOf(NEWLINE, from)) {
      parts.push(part.subarray(from, end));
      const line = Buffer.concat(parts).toString();
      parts = [];
      bytes = 0;
      from = end + 1;
      if (line.trim() !== "") yield line;
    }
    parts.push(part.subarray(from));
    bytes += part.length - from;
    if (bytes > WATCH_LINE_BYTES_MAX)
      throw new GarbledError(`a line of the watch has more than ${WATCH_LINE_BYTES_MAX} bytes`);
  }
}
