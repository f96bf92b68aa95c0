// The folder of stored streams: what should be in it, and setting aside what cannot be read.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GLOBAL_ACCOUNT, HOST_ACCOUNT } from "./account.ts";
import type { BusFiles } from "./files.ts";

/** nats-server's own layout below store_dir, for the one account that has streams. */
const STREAMS_BELOW = ["jetstream", HOST_ACCOUNT, "streams"];

/** Streams that an older bus left in the account of who has none are the host's; the server must not run. */
export function adoptOlderStore(files: BusFiles): void {
  const older = join(files.store, "jetstream", GLOBAL_ACCOUNT);
  const own = join(files.store, "jetstream", HOST_ACCOUNT);
  if (existsSync(older) && !existsSync(own)) renameSync(older, own);
}

/** The streams that have a folder: after its start the server should know each of them. */
export function storedStreams(files: BusFiles): string[] {
  try {
    return readdirSync(join(files.store, ...STREAMS_BELOW));
  } catch {
    return [];
  }
}

/**
 * Deletes what the store knows of consumers, not the messages. They are made anew at each start anyway, so that what
 * was not acknowledged comes first; gone before the server starts, none can be read before it is made, and a damaged
 * one cannot keep its place.
 */
export function forgetConsumers(files: BusFiles): void {
  for (const name of storedStreams(files)) {
    rmSync(join(files.store, ...STREAMS_BELOW, name, "obs"), { recursive: true, force: true });
  }
}

/** Moves the folders of `names` out of the store, which the server must not use meanwhile. Resolves to where. */
export function setStreamsAside(files: BusFiles, names: readonly string[]): string {
  const aside = asideFolder(files);
  mkdirSync(aside, { mode: 0o700 });
  for (const name of names) renameSync(join(files.store, ...STREAMS_BELOW, name), join(aside, name));
  return aside;
}

/** Moves the whole store away; the server makes an empty one. */
export function setStoreAside(files: BusFiles): string {
  const aside = asideFolder(files);
  renameSync(files.store, aside);
  return aside;
}

/** Only the last broken store is kept, so that they cannot fill the disk. */
function asideFolder(files: BusFiles): string {
  for (const name of readdirSync(files.folder)) {
    if (name.startsWith(files.brokenStorePrefix)) rmSync(join(files.folder, name), { recursive: true });
  }
  const time = new Date().toISOString().replace(/[-:.]/g, "");
  return join(files.folder, `${files.brokenStorePrefix}${time}`);
}
