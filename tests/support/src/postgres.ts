// A PostgreSQL server of a test's own: an empty cluster in a temporary folder, reached by a socket there.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod, chown } from "node:fs/promises";
import { join } from "node:path";
import { startProcess, type TestProcess } from "./process.ts";
import type { Teardown } from "./teardown.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { waitFor } from "./wait.ts";

/** Where Debian has it, a folder a version. */
const VERSIONS = "/usr/lib/postgresql";
/** PostgreSQL does not run as root; whom nothing belongs to is good enough. */
const USER = "nobody";
const START_TIMEOUT_MS = 60_000;

export interface TestPostgres {
  /** As portal.database_url takes it. */
  url: string;
  process: TestProcess;
}

/** Why there is no server to be started, undefined when there is one. */
export function whyNoPostgres(): string | undefined {
  return programs() ? undefined : "PostgreSQL is not installed";
}

/** Starts a server, `settings` beside its defaults; it is killed with the test. */
export async function startPostgres(test: Teardown, settings: Record<string, string> = {}): Promise<TestPostgres> {
  const folder = temporaryFolder(test);
  const [initdb, postgres] = ["initdb", "postgres"].map((name) => join(programs() ?? "", name)) as [string, string];
  const as = await runAs(folder);
  const data = join(folder, "data");
  const made = spawnSync(...as(initdb, ["--pgdata", data, "--username", "nightjar", "--auth", "trust", "-E", "UTF8"]));
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`);
  const all = { listen_addresses: "", unix_socket_directories: folder, ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // SIGINT is its fast shutdown: it does not wait for those who are connected.
  const server = startProcess(test, ...as(postgres, ["-D", data, ...flags]), { stopSignal: "SIGINT" });
  await waitFor(() => server.stderr.includes("ready to accept connections"), {
    what: "PostgreSQL is ready",
    timeoutMs: START_TIMEOUT_MS,
    explain: () => server.stderr,
  });
  return { url: `postgresql://nightjar@/postgres?host=${folder}`, process: server };
}

function programs(): string | undefined {
  const versions = existsSync(VERSIONS)
    ? readdirSync(VERSIONS).sort((left, right) => Number(right) - Number(left))
    : [];
  return versions
    .map((version) => join(VERSIONS, version, "bin"))
    .find((folder) => existsSync(join(folder, "postgres")));
}

/** Makes a command one of somebody who is not root, and the folder his. */
async function runAs(folder: string): Promise<(command: string, args: string[]) => [string, string[]]> {
  if (process.getuid?.() !== 0) return (command, args) => [command, args];
  const idOf = (flag: string) => Number(execFileSync("id", [flag, USER], { encoding: "utf8" }));
  await chown(folder, idOf("-u"), idOf("-g"));
  await chmod(folder, 0o700);
  const prefix = ["--reuid", USER, "--regid", String(idOf("-g")), "--clear-groups", "--"];
  return (command, args) => ["setpriv", [...prefix, command, ...args]];
}
