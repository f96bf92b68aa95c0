// Which nats-server runs: found, asked for its version, and judged by it.
import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { BusError } from "./errors.ts";

const VERSION_MS_MAX = 10_000;
const NAME = "nats-server";

export type Version = readonly [major: number, minor: number, patch: number];

export interface ServerBinary {
  path: string;
  version: Version;
  /** As people write it: "2.15.1". */
  versionText: string;
}

/** Older servers are not supported by @nats-io/jetstream 3. */
export const VERSION_MIN: Version = [2, 9, 4];
/** Before it a work queue's sequence can restart at 1 after a crash (nats-server issue 6881). */
export const VERSION_WITHOUT_FAULT: Version = [2, 11, 4];
/** The first with `sync_interval` and `logfile_max_num`. */
export const VERSION_WITH_SYNC_INTERVAL: Version = [2, 10, 0];

/** Whether `version` is `least` or later. */
export function atLeast(version: Version, least: Version): boolean {
  for (const [index, part] of least.entries()) {
    const own = version[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

/** Reads "nats-server: v2.15.1" and its like; a suffix such as "-RC.1" is passed over. */
export function parseVersion(text: string): Version | undefined {
  const match = /v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

/**
 * Finds the server: `named` (the setting), then the one that the product came with below `root`, then the PATH, then
 * the checkout's tools; and asks its version.
 * @throws BusError BUS_SERVER_MISSING, BUS_SERVER_UNUSABLE, BUS_SERVER_TOO_OLD
 */
export async function findServer(named: string, searchPath: string, root: string): Promise<ServerBinary> {
  const path = locate(named, searchPath, root);
  const output = await askVersion(path);
  const version = parseVersion(output);
  if (!version) throw new BusError("BUS_SERVER_UNUSABLE", `${path} --version said "${output.trim()}"`);
  const versionText = version.join(".");
  if (!atLeast(version, VERSION_MIN)) {
    throw new BusError("BUS_SERVER_TOO_OLD", `${path} is ${versionText}, ${VERSION_MIN.join(".")} is needed`);
  }
  return { path, version, versionText };
}

function locate(named: string, searchPath: string, root: string): string {
  if (named !== "") {
    const path = resolve(named);
    if (isProgram(path)) return path;
    throw new BusError("BUS_SERVER_MISSING", `${path}, named by the setting, is no program`);
  }
  const tools = join(root, ".tools", NAME, NAME);
  const candidates = [
    join(root, "bin", NAME),
    ...searchPath
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => resolve(folder, NAME)),
    tools,
  ];
  const found = candidates.find(isProgram);
  if (found) return found;
  throw new BusError("BUS_SERVER_MISSING", `no ${NAME} on the PATH, none at ${tools}`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function askVersion(path: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(path, ["--version"], { timeout: VERSION_MS_MAX });
    return stdout + stderr;
  } catch (cause) {
    throw new BusError("BUS_SERVER_UNUSABLE", `${path} --version failed`, { cause });
  }
}
