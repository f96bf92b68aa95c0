// Downloads a part of content into a file, going on where a download before was cut off.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { ContentProblem } from "@nightjar/content";
import type { ContentPart } from "@nightjar/proto";
import { PortalFailure } from "../failure.ts";
import type { RestBody, RestHead } from "../transport/rest.ts";

/** Asks for a path of the portal's; rejects with a PortalFailure. */
export type Get = <T>(
  path: string,
  headers: Readonly<Record<string, string>>,
  take: (head: RestHead, body: RestBody) => Promise<T>,
) => Promise<T>;

/** The rule engine reads it too (shelf.ts). */
const FILE_MODE = 0o640;
const OK = 200;
const PARTIAL = 206;
const CUT_SHORT = "Connection Failed: connection reset";

/**
 * Resolves when `file` holds the part and has been synced, or with why what came is not the part: the file is gone
 * then. Rejects with a PortalFailure when the portal could not be asked or hung up; what came by then stays for the
 * next time. No more is written than the part has bytes, whatever the portal sends.
 */
export async function downloadPart(get: Get, part: ContentPart, file: string): Promise<ContentProblem | undefined> {
  const digits = Buffer.from(part.sha256).toString("hex");
  const size = Number(part.size);
  const handle = await open(file, "a+", FILE_MODE);
  try {
    let have = (await handle.stat()).size;
    if (have > size) have = await cut(handle);
    if (have < size) await fetchRest(get, digits, { handle, have, size });
    await handle.sync();
  } finally {
    await handle.close();
  }
  if ((await digestOf(file)) === digits) return undefined;
  await rm(file);
  return { code: "CONTENT_TAMPERED", message: `${part.name}: what the portal gave is not what was signed` };
}

async function fetchRest(
  get: Get,
  digits: string,
  { handle, have, size }: { handle: FileHandle; have: number; size: number },
): Promise<void> {
  const rest = have > 0 ? { range: `bytes=${have}-`, "if-range": `"${digits}"` } : {};
  let ofDisk: unknown;
  const write = (bytes: Uint8Array) =>
    handle.appendFile(bytes).catch((error: unknown) => {
      ofDisk = error;
      throw error;
    });
  const taking = get(`/content/v1/parts/${digits}`, rest, async ({ status, headers }, body) => {
    const goesOn = status === PARTIAL && String(headers["content-range"]).startsWith(`bytes ${have}-`);
    if (!goesOn && status !== OK) throw new PortalFailure("comm", `comm error (${status})`, "no part of content");
    let length = goesOn ? have : await cut(handle);
    for await (const bytes of body) {
      length += bytes.length;
      // The digest will not fit either: what is there is thrown away.
      if (length > size) return void (await cut(handle));
      await write(bytes);
    }
    if (length < size) throw new PortalFailure("reset", CUT_SHORT, "the part was cut short");
  });
  // What the disk refused is no failure of the portal's.
  await taking.catch((error: unknown) => {
    throw ofDisk ?? error;
  });
}

/** Returns the length that is left: none. */
async function cut(handle: FileHandle): Promise<0> {
  await handle.truncate(0);
  return 0;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  return hash.digest("hex");
}
