// Makes of what was seen in /proc a part of the answer to who asks what runs: rows of processes with what they have.

import { statSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ContainerSchema,
  LibrarySchema,
  type LookedAtProcess,
  LookedAtProcessSchema,
  type MappedFile,
  MappedFileSchema,
  Replacement,
  type Running,
  RunningSchema,
} from "@nightjar/proto";
import { lookUp } from "../context/find.ts";
import type { Context } from "../context/source.ts";
import type { ProcessNode } from "../node.ts";
import type { ProcessTable } from "../table.ts";
import type { LookedAt, LookedAtFile } from "./look.ts";

const REPLACEMENTS = {
  same: Replacement.UNSPECIFIED,
  other: Replacement.REPLACED,
  none: Replacement.DELETED,
} as const satisfies Record<LookedAtFile["atPath"], Replacement>;

export interface PartOptions {
  /** Emptied for this part. */
  table: ProcessTable;
  context: Context;
  /** The process of the tree, undefined where it has none of this pid and start. */
  find: (pid: number, startTicks: number) => ProcessNode | undefined;
  /** An encoded Batch of the table as it is now. */
  encode: () => Uint8Array;
}

/** One part; processes that the tree does not know are left out. What is not known of files is asked for. */
export function writePart(lookedAt: readonly LookedAt[], { table, context, find, encode }: PartOptions): Running {
  const files: MappedFile[] = [];
  const places = new Map<string, number>();
  const processes: LookedAtProcess[] = [];
  for (const seen of lookedAt) {
    const node = find(seen.pid, seen.startTicks);
    if (!node) continue;
    const row = table.lineOf(node);
    const upper = upperFolderOf(table, row);
    const scope = `${node.image?.mountNamespace ?? 0}:${table.containerRows[row]}`;
    const indices = seen.files.map((file) => {
      const key = `${scope}:${file.inode}:${file.path}`;
      const known = places.get(key);
      if (known !== undefined) return known;
      places.set(key, files.length);
      return files.push(mappedFile(file, { table, context, upper })) - 1;
    });
    processes.push(processOf(seen, row, indices));
  }
  return create(RunningSchema, { batch: encode(), files, processes });
}

function processOf(seen: LookedAt, row: number, files: number[]): LookedAtProcess {
  const { networkNamespace } = seen;
  return create(LookedAtProcessSchema, {
    process: row + 1,
    files,
    ports: seen.listeners.map((listener) => ({ ...listener, networkNamespace })),
    bpfPrograms: seen.bpfPrograms.map(({ id: programId, type }) => ({ programId, type, loaded: true })),
    replacement: REPLACEMENTS[seen.programAtPath],
  });
}

interface Beside {
  table: ProcessTable;
  context: Context;
  upper: string;
}

function mappedFile(file: LookedAtFile, { table, context, upper }: Beside): MappedFile {
  const { device, inode, changedNs: changedTimeNs, modifiedNs: modifiedTimeNs, ownerUid, mode: fileMode } = file;
  const path = new Uint8Array(Buffer.from(file.path, "latin1"));
  const named = { path, inode, modifiedTimeNs, ownerUid, fileMode };
  const identity = { ...named, device, changedTimeNs, fd: -1 };
  const library = toBinary(LibrarySchema, create(LibrarySchema, identity));
  const source = context.executables;
  const row = inode === 0n ? undefined : lookUp(source, source.keyOfLibrary(library), file.pid, library);
  return create(MappedFileSchema, {
    ...named,
    replacement: REPLACEMENTS[file.atPath],
    fromMemfd: file.isMemfd,
    upperLayer: upper !== "" && isThere(`${upper}${file.path}`),
    executable: table.executables.indexOf(row) + 1,
  });
}

/** Where what the process's container wrote is; "" where it is in none or that is not known. */
function upperFolderOf(table: ProcessTable, row: number): string {
  const bytes = table.containers.rows[table.containerRows[row] as number];
  return bytes ? fromBinary(ContainerSchema, bytes).upperFolder : "";
}

function isThere(path: string): boolean {
  return statSync(Buffer.from(path, "latin1"), { throwIfNoEntry: false }) !== undefined;
}
