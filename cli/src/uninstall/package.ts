// Which package of the system the running command belongs to, and how that is removed: a row a package manager.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../given-settings.ts";

const ASK_MS_MAX = 10_000;
const REMOVE_MS_MAX = 300_000;
/** In the self-contained build, so in every package. */
const OWN_FILE = join(ROOT, "build.json");

interface Manager {
  /** Tells whose file it is, or fails. */
  owner: readonly [string, ...string[]];
  /** Finds the name in what it tells. */
  name: RegExp;
  remove: readonly [string, ...string[]];
  purge: readonly [string, ...string[]];
}

/** The package's own scripts stop the units and unload the probe. Neither needs the network. */
const MANAGERS: readonly Manager[] = [
  { owner: ["dpkg-query", "--search"], name: /^([^:,]+):/, remove: ["dpkg", "--remove"], purge: ["dpkg", "--purge"] },
  {
    owner: ["rpm", "--query", "--queryformat", "%{NAME}\n", "--file"],
    name: /^(\S+)$/m,
    remove: ["rpm", "--erase"],
    purge: ["rpm", "--erase"],
  },
];

export interface InstalledPackage {
  name: string;
  /** For a person. */
  command: string;
  remove(): Promise<void>;
}

/** Undefined where no package has it, as in a checkout. */
export async function findPackage(purge: boolean, file = OWN_FILE): Promise<InstalledPackage | undefined> {
  for (const manager of MANAGERS) {
    const [program, ...args] = manager.owner;
    const answer = await run(program, [...args, file], ASK_MS_MAX).catch(() => "");
    const name = manager.name.exec(answer)?.[1];
    if (name === undefined) continue;
    const [remover, ...flags] = purge ? manager.purge : manager.remove;
    return {
      name,
      command: [remover, ...flags, name].join(" "),
      remove: async () => void (await run(remover, [...flags, name], REMOVE_MS_MAX)),
    };
  }
  return undefined;
}

async function run(program: string, args: readonly string[], timeout: number): Promise<string> {
  return (await promisify(execFile)(program, args, { timeout })).stdout;
}
