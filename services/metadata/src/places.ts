// Where runtimes put their sockets: the host's own, and one for each user who runs containers without root.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

const USERS_FOLDER = "/run/user";

/** Those of these paths that are there now, each file once: /var/run is /run by another name. */
export function present(paths: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const path of paths) {
    if (existsSync(path)) found.set(real(path), path);
  }
  return [...found.values()];
}

/** The same path in each user's run-time folder. */
export function ofUsers(path: string, folder = USERS_FOLDER): string[] {
  try {
    return readdirSync(folder).map((user) => join(folder, user, path));
  } catch {
    return [];
  }
}

/** The home folders of the users who are logged in, or linger. */
export function homesOfUsers(folder = USERS_FOLDER, passwd = "/etc/passwd"): string[] {
  try {
    const users = new Set(readdirSync(folder));
    const fields = readFileSync(passwd, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
    return fields.flatMap(([, , uid = "", , , home]) => (home && users.has(uid) ? [home] : []));
  } catch {
    return [];
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
