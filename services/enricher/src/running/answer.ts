// Answers who asks what runs: looks at processes in a thread, a few at a time, so that events do not wait for it.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { KernelModuleItemSchema, type Running, RunningRequestSchema, RunningSchema } from "@nightjar/proto";
import type { Executables } from "../executables/executables.ts";
import { listPids } from "../procfs.ts";
import { toNanoseconds } from "../scan.ts";
import type { ProcessTree } from "../tree.ts";
import { LOOKED_AT_MAX, type LookedAt } from "./look.ts";

/** Pids that one question may name. */
const PIDS_MAX = 1_024;

export interface RunningSource {
  executables: Executables;
  tree: ProcessTree;
  /** Makes a part of what was seen. */
  describe: (lookedAt: readonly LookedAt[]) => Running;
  bytesMax: number;
  /** The pids that there are now. */
  pids?: () => readonly number[];
}

/** Encoded parts, none larger than the bus takes. Bytes that are no question are answered with who lives. */
export async function* answerRunning(question: Uint8Array, source: RunningSource): AsyncGenerator<Uint8Array> {
  const { pids, all } = asked(question);
  const here = (source.pids ?? listPids)();
  const wanted = all ? here : pids.slice(0, PIDS_MAX);
  const looker = await source.executables.look([]);
  // Before the look: what begins meanwhile is not missed by it.
  const living = livingOf(source.tree, new Set(here));
  for (let from = 0; from < wanted.length; from += LOOKED_AT_MAX) {
    const seen = await source.executables.look(wanted.slice(from, from + LOOKED_AT_MAX));
    if (seen) yield* encodeParts(seen.processes, source);
  }
  const modules = all && looker ? { kernelModules: modulesIn(looker.modules), hasKernelModules: true } : {};
  const last = { ...living, ...modules, filesChanged: looker?.haveFilesChanged ?? false, isComplete: all };
  yield toBinary(RunningSchema, create(RunningSchema, last));
}

/** What was seen, in so many parts that each fits; a process too large for one alone is left out. */
function* encodeParts(seen: readonly LookedAt[], source: RunningSource): Generator<Uint8Array> {
  if (seen.length === 0) return;
  const part = source.describe(seen);
  const bytes = toBinary(RunningSchema, part);
  if (bytes.length <= source.bytesMax) yield bytes;
  else if (seen.length > 1) {
    const half = Math.ceil(seen.length / 2);
    yield* encodeParts(seen.slice(0, half), source);
    yield* encodeParts(seen.slice(half), source);
  }
}

function livingOf(tree: ProcessTree, pids: ReadonlySet<number>): { livingPids: number[]; livingStartsNs: bigint[] } {
  const livingPids: number[] = [];
  const livingStartsNs: bigint[] = [];
  for (const node of tree) {
    if (node.exited || !pids.has(node.pid)) continue;
    livingPids.push(node.pid);
    livingStartsNs.push(BigInt(toNanoseconds(node.start)));
  }
  return { livingPids, livingStartsNs };
}

/** Lines of /proc/modules: name, size, references, users, state, address, and why it taints the kernel. */
function modulesIn(text: string) {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", size = "0"] = line.split(" ");
      const letters = /\(([A-Z]+)\)$/.exec(line)?.[1] ?? "";
      const taints = [...letters].reduce((mask, letter) => mask | (TAINTS.get(letter) ?? 0n), 0n);
      return create(KernelModuleItemSchema, { name, sizeBytes: BigInt(size), taints, loaded: true });
    });
}

/** The letters of the taints that a module may have, and their bits (kernel/panic.c, taint_flags). */
const TAINTS: ReadonlyMap<string, bigint> = new Map(
  (
    [
      ["P", 0],
      ["F", 1],
      ["R", 3],
      ["C", 10],
      ["O", 12],
      ["E", 13],
      ["K", 15],
      ["X", 16],
      ["T", 17],
      ["N", 18],
    ] as const
  ).map(([letter, bit]) => [letter, 1n << BigInt(bit)]),
);

function asked(question: Uint8Array): { pids: number[]; all: boolean } {
  try {
    return fromBinary(RunningRequestSchema, question);
  } catch {
    return { pids: [], all: false };
  }
}
