// Finds the bundle of a container that is being made, from the command line of the runc or crun that makes it: the
// runtime's folder is there some 100 ms before its state, and the state of a short-lived container soon gone again.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";

/** The runtime was started a moment ago: its pid is among the highest. */
const PROCESSES_MAX = 256;

export interface Making {
  /** As the program is called: "runc" or "crun". */
  runtime: string;
  bundle: string;
}

/**
 * Who makes the container `id`, of the processes that the user `uid` started last: nobody else's word counts. Undefined
 * where there is none.
 */
export function findMaking(id: string, uid: number, proc = "/proc"): Making | undefined {
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  pids.sort((one, other) => Number(other) - Number(one));
  for (const pid of pids.slice(0, PROCESSES_MAX)) {
    const making = makingOf(`${proc}/${pid}`, id, uid);
    if (making) return making;
  }
  return undefined;
}

function makingOf(folder: string, id: string, uid: number): Making | undefined {
  try {
    const args = readFileSync(`${folder}/cmdline`, "utf8").split("\0");
    if (!args.includes(id) || statSync(folder).uid !== uid) return undefined;
    const bundle = readBundleOption(args);
    if (bundle === undefined) return undefined;
    return { runtime: basename(args[0] ?? ""), bundle: resolve(readlinkSync(`${folder}/cwd`), bundle) };
  } catch {
    // It has ended.
    return undefined;
  }
}

/** What `run` and `create` are told; without it the bundle is where they were started. */
export function readBundleOption(args: readonly string[]): string | undefined {
  const verb = args.findIndex((one) => one === "run" || one === "create");
  if (verb < 0) return undefined;
  for (const [index, arg] of args.entries()) {
    if (arg === "--bundle" || arg === "-b") return args[index + 1];
    if (arg.startsWith("--bundle=")) return arg.slice("--bundle=".length);
  }
  return ".";
}
