// What the threads that read files are asked to do, and what they answer.
import { closeSync } from "node:fs";
import { type Owner, Software } from "@nightjar/software";
import { type LookedAt, Looker } from "../running/look.ts";
import { mountNamespaceOf, type NamedFile } from "./file.ts";
import { type Digested, type Digestible, digest, type Inspection, inspect } from "./inspect.ts";
import { Throttle } from "./throttle.ts";

/** What a thread is given when it starts. */
export interface ThreadData {
  fileBytesMax: number;
  bytesPerSecond: number;
}

/** An owner that is not known: the root folder is gone by now. */
export type Ownership = Owner | { known: "unknown" };

/** What is asked of a thread, and what it answers to each. */
export interface Tasks {
  inspect: { ask: { file: NamedFile; peer: number }; answer: Inspection };
  digest: { ask: Digestible; answer: Digested };
  look: { ask: { pids: readonly number[] }; answer: LookAnswer };
  owner: { ask: { path: string; root: string }; answer: { owner: Ownership; problems: readonly string[] } };
}

/** What was seen of processes; asked about none, of the host. */
export interface LookAnswer {
  processes: LookedAt[];
  /** The text of /proc/modules. */
  modules: string;
  haveFilesChanged: boolean;
}

export type Task = { [Name in keyof Tasks]: { name: Name; ask: Tasks[Name]["ask"] } }[keyof Tasks];

/** What was not read in the last seconds may be read at once: a host that starts executes much that is new. */
const BURST_SECONDS = 8;

/** The work of one thread. */
export function createRunner({
  fileBytesMax,
  bytesPerSecond,
}: ThreadData): (task: Task) => Tasks[keyof Tasks]["answer"] {
  const throttle = new Throttle(bytesPerSecond, BURST_SECONDS);
  const software = new Software();
  const looker = new Looker();
  return (task) => {
    if (task.name === "inspect") return inspect(task.ask.file, task.ask.peer, { fileBytesMax }, throttle);
    if (task.name === "owner") return ownerOf(software, task.ask.path, task.ask.root);
    if (task.name === "look") return look(looker, task.ask.pids);
    try {
      return digest(task.ask, throttle);
    } finally {
      closeSync(task.ask.fd);
    }
  };
}

function look(looker: Looker, pids: readonly number[]): LookAnswer {
  if (pids.length > 0) return { processes: looker.look(pids), modules: "", haveFilesChanged: false };
  return { processes: [], modules: looker.modules(), haveFilesChanged: looker.haveChanged() };
}

function ownerOf(software: Software, path: string, root: string): Tasks["owner"]["answer"] {
  const pid = /^\/proc\/(\d+)\/root$/.exec(root)?.[1];
  if (pid === undefined) return { owner: software.owner(path, "/"), problems: software.problems };
  const before = mountNamespaceOf(Number(pid));
  const owner = software.owner(path, root, `mount namespace ${before}`);
  // Another process may have the pid by now, or none, whose databases are not there.
  const isIt = before !== 0 && mountNamespaceOf(Number(pid)) === before;
  return { owner: isIt ? owner : { known: "unknown" }, problems: software.problems };
}
