// The processes that the enricher follows, as a tree: who, why it is kept, in which container, whose.
import {
  type Batch,
  type Container,
  type Process,
  ProcessOrigin,
  ProcessState,
  ProcessStateSchema,
  wordsOf,
} from "@nightjar/proto";
import type { Output } from "../output.ts";
import { commandLine, processName } from "./process.ts";
import { table } from "./table.ts";
import { count, printable, utf8 } from "./text.ts";

/** Which processes are asked for; all of what is given must fit. */
export interface ActorFilter {
  pid?: number | undefined;
  /** The kernel's name of it, or the last component of its executable. */
  name?: string | undefined;
  /** The id of a container, or how it begins, or its name; "host" for what is in none. */
  container?: string | undefined;
}

/** A process with what it has to do with others. */
export interface Actor {
  process: Process;
  container: Container | undefined;
  parent: Actor | undefined;
  children: Actor[];
  startUnixMs: number;
  exitUnixMs: number | undefined;
}

const HOST = "host";
const NS_PER_MS = 1_000_000n;
const states = wordsOf(ProcessStateSchema);
const ORIGINS: ReadonlyMap<ProcessOrigin, string> = new Map([
  [ProcessOrigin.EVENT, "event"],
  [ProcessOrigin.PROCFS, "procfs"],
  [ProcessOrigin.HEADER, "header"],
]);

/** The processes of the enricher's answer, those that are in several of its batches once; by their starts. */
export function actorsOf(batches: readonly Batch[]): Actor[] {
  const known = new Map<string, Actor>();
  for (const batch of batches) {
    const unixMs = (ns: bigint) => Number((ns + batch.bootTimeUnixNs) / NS_PER_MS);
    const keyOf = ({ pid, startTimeNs }: Process) => `${pid}:${startTimeNs}`;
    for (const process of batch.processes) {
      if (known.has(keyOf(process))) continue;
      const { startTimeNs, exitTimeNs } = process;
      known.set(keyOf(process), {
        process,
        container: batch.containers[process.container - 1],
        ...{ parent: undefined, children: [], startUnixMs: unixMs(startTimeNs) },
        exitUnixMs: exitTimeNs === 0n ? undefined : unixMs(exitTimeNs),
      });
    }
    for (const process of batch.processes) {
      const actor = known.get(keyOf(process));
      const above = batch.processes[process.parent - 1];
      const parent = above && known.get(keyOf(above));
      if (!actor || actor.parent || !parent) continue;
      actor.parent = parent;
      parent.children.push(actor);
    }
  }
  const actors = [...known.values()].sort(byStart);
  for (const { children } of actors) children.sort(byStart);
  return actors;
}

const byStart = (left: Actor, right: Actor): number =>
  left.startUnixMs - right.startUnixMs || left.process.pid - right.process.pid;

function fits({ process, container }: Actor, wanted: ActorFilter): boolean {
  const { pid, name, container: of } = wanted;
  if (pid !== undefined && process.pid !== pid) return false;
  if (name !== undefined && utf8(process.name) !== name && processName(process) !== name) return false;
  if (of === undefined) return true;
  if (of === HOST || container === undefined) return of === HOST && container === undefined;
  return container.name === of || (container.fullId || container.id).startsWith(of);
}

/** Those that fit, and those to show: these, their ancestors and all that descends from them. */
export function choose(actors: readonly Actor[], wanted: ActorFilter): { fitting: Set<Actor>; shown: Set<Actor> } {
  const fitting = new Set(actors.filter((actor) => fits(actor, wanted)));
  const shown = new Set<Actor>();
  const below = [...fitting];
  for (let actor = below.pop(); actor; actor = below.pop()) {
    if (shown.has(actor)) continue;
    shown.add(actor);
    below.push(...actor.children);
  }
  for (const actor of fitting) for (let above = actor.parent; above; above = above.parent) shown.add(above);
  return { fitting, shown };
}

/** Columns of the process in its place in the tree, why it is kept, user, container and command line. */
export function showActors(output: Output, actors: readonly Actor[], wanted: ActorFilter): void {
  const { fitting, shown } = choose(actors, wanted);
  const rows = [["PROCESS", "WHY", "USER", "CONTAINER", "COMMAND"]];
  const roots = actors.filter((actor) => shown.has(actor) && !actor.parent);
  const stack = roots.reverse().map((actor) => ({ actor, before: "", branch: "", after: "" }));
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { actor, before, branch, after } = next;
    rows.push(rowOf(actor, `${before}${branch}`));
    const children = actor.children.filter((child) => shown.has(child)).reverse();
    for (const [at, child] of children.entries()) {
      // Reversed: the first here is the last below its parent.
      const [own, below] = at === 0 ? ["└─ ", "   "] : ["├─ ", "│  "];
      stack.push({ actor: child, before: `${before}${after}`, branch: own, after: below });
    }
  }
  for (const line of table(rows)) output.line(line);
  output.line(`${count(fitting.size)} of ${count(actors.length)} processes`);
}

function rowOf({ process, container }: Actor, branch: string): string[] {
  const command = commandLine(process);
  return [
    `${branch}${process.pid} ${printable(utf8(process.name) || processName(process))}`,
    states.get(process.state) ?? "",
    printable(userOf(process)),
    container ? printable(container.name || container.id) : "",
    printable(command.length > COMMAND_CHARACTERS_MAX ? `${command.slice(0, COMMAND_CHARACTERS_MAX)}…` : command),
  ];
}

const COMMAND_CHARACTERS_MAX = 120;

/** "root", or "root (ada)" where somebody else logged in. */
function userOf({ userName, uid, loginUserName }: Process): string {
  const user = userName || `uid ${uid}`;
  return loginUserName === "" || loginUserName === userName ? user : `${user} (${loginUserName})`;
}

/** A process as JSON; `fits` tells it from those that are there as its ancestors and descendants. */
export function actorJson(actor: Actor, isFitting: boolean): Record<string, unknown> {
  const { process, container, parent } = actor;
  const { image } = process;
  return {
    pid: process.pid,
    start: new Date(actor.startUnixMs).toISOString(),
    ...(actor.exitUnixMs !== undefined && { end: new Date(actor.exitUnixMs).toISOString() }),
    why: states.get(process.state) ?? states.get(ProcessState.RUNNING),
    parent: parent ? parent.process.pid : null,
    name: utf8(process.name),
    executable: image ? utf8(image.executable) : null,
    args: (image?.args ?? []).map(utf8),
    user: process.userName,
    uid: process.uid,
    login_user: process.loginUserName || null,
    session: image?.sessionId ?? null,
    terminal: image && image.ttyName.length > 0 ? utf8(image.ttyName) : null,
    unit: process.unit || null,
    container: container ? { id: container.id, name: container.name, image: container.image } : null,
    known_from: ORIGINS.get(process.origin) ?? null,
    fits: isFitting,
  };
}
