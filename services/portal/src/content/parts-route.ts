// Parts of content over REST, by their digest: whole, or from where a download was cut off (RFC 9110, section 14).
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { HttpRequest, HttpResponse, HttpRoute } from "../http-routes.ts";
import { DOWNLOAD_RETRY_AFTER_S, DOWNLOADS_MAX } from "./limits.ts";
import type { ContentStore } from "./store.ts";

const PATH = "/content/v1/parts/";
const SHA256 = /^[0-9a-f]{64}$/;
const RANGE = /^bytes=(\d{1,15})?-(\d{1,15})?$/;

/** Bytes of a part, both included. */
export interface Range {
  first: bigint;
  last: bigint;
}

export function partsRoute(store: ContentStore): HttpRoute {
  let downloads = 0;
  return {
    method: "GET",
    path: PATH,
    callers: ["sensor"],
    async handle(request, response) {
      if (downloads >= DOWNLOADS_MAX) {
        return say(response, 503, "too many downloads", { "retry-after": String(DOWNLOAD_RETRY_AFTER_S) });
      }
      downloads++;
      try {
        await answer(store, request, response);
      } catch (error) {
        // Whoever hangs up in the middle is no failure of ours.
        if (!isHangUp(error)) throw error;
        response.destroy();
      } finally {
        downloads--;
      }
    },
  };
}

async function answer(store: ContentStore, request: HttpRequest, response: HttpResponse): Promise<void> {
  const sha256 = new URL(request.url ?? "/", "https://portal").pathname.slice(PATH.length);
  const size = SHA256.test(sha256) ? await store.sizeOf(sha256) : undefined;
  if (size === undefined) return say(response, 404, "no such part");
  const etag = `"${sha256}"`;
  // A part never changes under its digest, so that whoever has it has it.
  const lasting = { etag, "accept-ranges": "bytes", "cache-control": "private, max-age=31536000, immutable" };
  const { range, "if-range": condition = etag, "if-none-match": known } = request.headers;
  if (known === etag) {
    response.writeHead(304, lasting);
    response.end();
    return;
  }
  const asked = condition === etag ? rangeOf(range, size) : undefined;
  if (asked === "unsatisfiable") {
    return say(response, 416, "the part ends before", { ...lasting, "content-range": `bytes */${size}` });
  }
  const { first, last } = asked ?? { first: 0n, last: size - 1n };
  response.writeHead(asked ? 206 : 200, {
    ...lasting,
    "content-type": "application/octet-stream",
    "content-length": String(last - first + 1n),
    ...(asked && { "content-range": `bytes ${first}-${last}/${size}` }),
  });
  await pipeline(Readable.from(store.bytesOf(sha256, first, last)), response);
}

function say(response: HttpResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}) {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
  response.end(`${text}\n`);
}

/** The bytes that a Range asks for; undefined where it asks for none, or for what need not be honoured. */
export function rangeOf(header: string | undefined, size: bigint): Range | "unsatisfiable" | undefined {
  const [, begin, end] = RANGE.exec(header ?? "") ?? [];
  if (begin === undefined && end === undefined) return undefined;
  const last = size - 1n;
  if (begin === undefined) {
    const length = BigInt(end!);
    if (length === 0n || size === 0n) return "unsatisfiable";
    return { first: length > size ? 0n : size - length, last };
  }
  const first = BigInt(begin);
  if (first > last) return "unsatisfiable";
  const asked = end === undefined ? last : BigInt(end);
  // "bytes=5-2" is no range, and passed over.
  return asked < first ? undefined : { first, last: asked < last ? asked : last };
}

function isHangUp(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET" || code === "ERR_HTTP2_INVALID_STREAM";
}
