// Takes in what the enricher saw of the processes that run: so the inventory is true at once, and stays so.
import { BatchReader } from "@nightjar/events";
import type { MappedFile, Running } from "@nightjar/proto";
import type { Catalogue, Entry, When } from "./catalogue.ts";
import { isComplete, type SeenFile, seeFile, seeProgram } from "./files.ts";
import { latin1 } from "./identity.ts";
import { keepModules, seeBpfProgram, seeModule } from "./kernel.ts";
import { seePort } from "./network.ts";
import type { Processes } from "./processes.ts";
import { type Actor, Rows } from "./rows.ts";

export interface RunningOptions {
  catalogue: Catalogue;
  processes: Processes;
  hostNetworkNamespace: number;
}

export interface TakenPart {
  /** Processes of whose files not all is known yet. */
  incomplete: number[];
  looked: number;
}

/**
 * Takes in a part of an answer. `isFirst` where the inventory is new: what is seen was there before it.
 * @throws WireError where its batch is none.
 */
export function takeRunning(running: Running, options: RunningOptions, nowMs: number, isFirst: boolean): TakenPart {
  const at = { ms: nowMs, times: 0 };
  if (running.hasKernelModules) {
    for (const module of running.kernelModules) seeModule(options.catalogue, module, at);
    keepModules(options.catalogue, new Set(running.kernelModules.map(({ name }) => name)));
  }
  if (running.batch.length === 0) return { incomplete: [], looked: 0 };
  const batch = new BatchReader(running.batch);
  options.processes.bootTimeUnixNs = batch.bootTimeUnixNs;
  const part = { running, options, rows: new Rows(batch), at, isFirst };
  const incomplete = running.processes
    .filter((_, index) => !takeProcess(part, index))
    .flatMap(({ process }) => {
      const actor = part.rows.actor(process - 1);
      return actor ? [actor.process.pid] : [];
    });
  return { incomplete, looked: running.processes.length };
}

interface Part {
  running: Running;
  options: RunningOptions;
  rows: Rows;
  at: When;
  isFirst: boolean;
}

/** Whether all is known of the files that it has. */
function takeProcess(part: Part, index: number): boolean {
  const { running, options, rows, at } = part;
  const { catalogue, processes } = options;
  const seen = running.processes[index];
  const actor = seen && rows.actor(seen.process - 1);
  // Threads of the kernel execute nothing.
  if (!actor) return true;
  const identity = { pid: actor.process.pid, startNs: actor.process.startTimeNs };
  const { program, file, container } = seeProgram(catalogue, actor, at, seen.replacement);
  processes.executed(identity, program, container);
  const files = seen.files.flatMap((place) => {
    const mapped = running.files[place];
    return mapped ? [seeMapped(mapped, part, actor)] : [];
  });
  const containerId = actor.container?.fullId ?? "";
  const ports = seen.ports.map((port) => {
    const isHost = port.networkNamespace === options.hostNetworkNamespace;
    return seePort(catalogue, { ...port, networkNamespace: isHost ? 0 : port.networkNamespace, containerId }, at);
  });
  const bootId = Buffer.from(rows.batch.bootId).toString("hex");
  for (const { programId: id, name, type } of seen.bpfPrograms)
    seeBpfProgram(catalogue, bootId, { id, name, type, loadedBy: program }, at);
  const idsOf = (entries: readonly Entry[]) => entries.map(({ id }) => id);
  processes.lookedAt(identity, idsOf(files), idsOf(ports));
  const all = [program, file, ...files, ...ports, ...(container ? [container] : [])];
  if (part.isFirst) for (const { item } of all) item.preexisting = true;
  return [file, ...files].every(isComplete);
}

function seeMapped(mapped: MappedFile, { options, rows, at }: Part, actor: Actor): Entry {
  const path = latin1(mapped.path);
  const seen: SeenFile = {
    path,
    inode: mapped.inode,
    modifiedNs: mapped.modifiedTimeNs,
    ownerUid: mapped.ownerUid,
    fileMode: mapped.fileMode,
    upperLayer: mapped.upperLayer,
    fromMemfd: mapped.fromMemfd,
    replacement: mapped.replacement,
    contents: mapped.executable > 0 ? rows.executable(mapped.executable - 1) : undefined,
    use: ARCHIVE.test(path) ? "interpreted" : "mapped",
  };
  return seeFile(options.catalogue, seen, actor.container, at);
}

/** Archives of Java are read, and not mapped to be executed. */
const ARCHIVE = /\.(jar|war|ear)$/;
