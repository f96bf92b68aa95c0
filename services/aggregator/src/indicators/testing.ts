// Batches of facts as the enricher makes them, for tests.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, type Event, type EventSchema } from "@nightjar/proto";

export type EventInit = Exclude<MessageInitShape<typeof EventSchema>, Event>;

export const BOOT_ID = new Uint8Array(16).fill(0xab);
export const SHA256 = new Uint8Array(32).fill(0xcd);
export const DIGEST = "cd".repeat(32);
const STEP = 64;

export const text = (value: string) => Buffer.from(value);

/** Each process of the batch has init above it; its number is its pid. */
export function factsOf(events: readonly (EventInit & { pid: number })[], first = 0): Uint8Array {
  const pids = [...new Set(events.map(({ pid }) => pid))];
  const batch = create(BatchSchema, {
    bootId: BOOT_ID,
    epoch: 7n,
    bootTimeUnixNs: 1_700_000_000_000_000_000n,
    firstPosition: BigInt(first),
    nextPosition: BigInt(first + events.length * STEP),
    events: events.map((event, at) => ({
      startTimeNs: BigInt(event.pid),
      timeNs: BigInt(1_000_000_000 + first + at),
      position: BigInt(first + at * STEP),
      ...event,
    })),
    processes: [
      { pid: 1, name: text("init") },
      ...pids.map((pid) => ({ pid, name: text(`p${pid}`), parent: 1, executable: 1, container: 1 })),
    ],
    actors: events.map(({ pid }) => pids.indexOf(pid) + 2),
    mapped: events.map(({ data }) => (data?.case === "library" ? 2 : 0)),
    containers: [{ id: "c0" }],
    executables: [{ sha256: SHA256 }, { sha256: new Uint8Array(32).fill(0xef) }],
  });
  return toBinary(BatchSchema, batch);
}

export const exec = (pid: number, path = "/bin/x") => ({
  pid,
  data: { case: "exec" as const, value: { executable: text(path) } },
});
export const library = (pid: number) => ({
  pid,
  data: { case: "library" as const, value: { path: text("/lib/l.so") } },
});
export const connect = (pid: number, address: readonly number[], port = 443, result = 0n) => ({
  pid,
  result,
  data: { case: "connect" as const, value: { remote: { address: Uint8Array.from(address), port } } },
});
export const dns = (pid: number, name: string, targets: readonly string[] = []) => ({
  pid,
  data: {
    case: "dns" as const,
    value: { questionName: text(name), answers: targets.map((target) => ({ type: 5, target: text(target) })) },
  },
});
