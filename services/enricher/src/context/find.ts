// How a source is asked on the way of an event: what it knows is taken, what it does not know it begins to find out.
import { NO_ROW, type Row } from "./row.ts";
import type { ImageSource } from "./source.ts";

/** What is known now of an encoded Exec; `pid` is a process that executed it. */
export function find(source: ImageSource, pid: number, exec: Uint8Array): Row | undefined {
  return lookUp(source, source.keyOf(exec), pid, exec);
}

/** The same of a key. */
export function lookUp(source: ImageSource, key: string, pid: number, message: Uint8Array): Row | undefined {
  if (key === "") return NO_ROW;
  const row = source.lookup(key);
  // It never rejects, and whoever comes later has what it finds.
  if (row === undefined || row.isPartial) void source.ask(key, { pid, message });
  return row;
}
