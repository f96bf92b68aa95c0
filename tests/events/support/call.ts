// Makes one system call in a process of its own, and reads the one event it must make.
import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { Call } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed, type Deed, type DeedOptions } from "./deed.ts";
import type { Seen, TypeName, Watch } from "./kernel.ts";

/** A descriptor that the process opens before; flags as of open(2), reading by default. */
export interface Opened {
  open: string;
  flags?: number;
}

/** One argument: a number, a string, numbers in memory (`long` each), a descriptor, or no pointer. */
export type Argument = number | string | readonly number[] | Opened | null;

/** As deed.c reads it. */
function encode(argument: Argument): string {
  if (argument === null) return "n:";
  if (typeof argument === "number") return `i:${argument}`;
  if (typeof argument === "string") return `s:${argument}`;
  if ("open" in argument) return `o:${argument.flags ?? 0}:${argument.open}`;
  return `l:${argument.join(",")}`;
}

/** Compiled once for each test. */
const deeds = new WeakMap<ExecutionContext, Deed>();

/** The calls that only machines older than arm64 have. */
export const hasOldCalls = process.arch === "x64";

/**
 * Makes the call, and returns the event of type `type` that it made, which must be the only one. Who made it, its
 * result and which call it was are checked.
 */
export async function call<Name extends TypeName>(
  t: ExecutionContext,
  watch: Watch,
  type: Name,
  [name, ...args]: readonly [string, ...Argument[]],
  options: DeedOptions = {},
): Promise<Seen<Name>> {
  const deed = deeds.get(t) ?? compileDeed(t, import.meta.dirname);
  deeds.set(t, deed);
  if (options.uid !== undefined) chmodSync(dirname(deed.path), 0o755);
  const done = deed.do([name, ...args.map(encode)], options);
  await watch.ended(done.pid);
  const seen = watch.of(type, (event) => event.pid === done.pid);
  t.is(seen.length, 1, `${name} makes one event`);
  const event = seen[0] as Seen<Name>;
  t.like(event, { tid: done.pid, parentPid: process.pid, result: BigInt(done.stdout) }, name);
  t.is(event.call, Call[name.toUpperCase() as keyof typeof Call]);
  return event;
}

/** For each text of the data whether it is as expected; with words for a person where it is not. */
export function texts<Key extends string>(data: Record<Key, Uint8Array>, keys: readonly Key[]): Record<Key, string> {
  const decoder = new TextDecoder();
  return Object.fromEntries(keys.map((key) => [key, decoder.decode(data[key])])) as Record<Key, string>;
}
