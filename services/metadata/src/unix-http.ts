// HTTP over a Unix socket, as Docker and Podman speak it: one answer as JSON, or a stream of JSON lines.
import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";

/** What a runtime tells of one container is some 10 KB. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const LINE_CHARACTERS_MAX = 1024 * 1024;

/** It answered, but not with what was asked for. */
export class RefusedAnswer extends Error {
  readonly status: number;

  constructor(status: number, path: string) {
    super(`it answers ${status} to ${path}`);
    this.status = status;
  }
}

/**
 * GET of a JSON value. Undefined where it answers 404.
 *
 * @throws RefusedAnswer for any other status but 200; SyntaxError, or the system's error.
 */
export async function getJson(socketPath: string, path: string, signal: AbortSignal): Promise<unknown> {
  const response = await get(socketPath, path, signal);
  if (response.statusCode === 404) {
    response.resume();
    return undefined;
  }
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    if (text.length > ANSWER_BYTES_MAX) throw new Error(`it answers more than ${ANSWER_BYTES_MAX} bytes to ${path}`);
  }
  return JSON.parse(text);
}

/** GET of lines of text, until the other side or `signal` ends it; lines that are too long are passed over. */
export async function* getLines(socketPath: string, path: string, signal: AbortSignal): AsyncGenerator<string> {
  const response = await get(socketPath, path, signal);
  for await (const line of createInterface({ input: response })) {
    if (line.length <= LINE_CHARACTERS_MAX) yield line;
  }
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, signal, headers: { host: "localhost" } }, (response) => {
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 404) return resolve(response);
      response.resume();
      reject(new RefusedAnswer(status, path));
    });
    asked.on("error", reject);
    asked.end();
  });
}
