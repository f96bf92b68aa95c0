// A sensor whose enriched events a test reads as the rule engine does: each with its line of processes.
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { type Batch, BatchSchema, type Event, type Process } from "@nightjar/proto";
import { busCredentials, connectOnce, streamOf } from "@nightjar/stage";
import { startProcess, type Teardown, waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import type { Sensor } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));

/** An event, and who did it: the process as it was then, and its ancestors. */
export interface Enriched {
  event: Event;
  actor: Process | undefined;
  ancestors: Process[];
}

const utf8 = new TextDecoder();
export const textOf = (bytes: Uint8Array | undefined): string => utf8.decode(bytes ?? new Uint8Array());

function rowsOf(batch: Batch, index: number): Process[] {
  const line: Process[] = [];
  for (let row = batch.actors[index] ?? 0; row > 0 && line.length < batch.processes.length; ) {
    const process = batch.processes[row - 1] as Process;
    line.push(process);
    row = process.parent;
  }
  return line;
}

/** Keeps the events of EVENTS that a test is about. */
export class EnrichedEvents {
  readonly all: Enriched[] = [];

  static async of(t: Teardown, sensor: Sensor, isWanted: (one: Enriched) => boolean): Promise<EnrichedEvents> {
    const credentials = busCredentials(sensor.stateDir, "operator");
    if (!credentials) throw new Error("the sensor's bus has no address");
    const connection = await connectOnce(credentials.address, credentials.seed, "operator");
    t.teardown(() => connection.close());
    const events = new EnrichedEvents();
    const callback = (_: unknown, { data }: { data: Uint8Array }) => events.#take(data, isWanted);
    connection.subscribe(streamOf("EVENTS").subjects[0] as string, { callback });
    await connection.flush();
    return events;
  }

  #take(bytes: Uint8Array, isWanted: (one: Enriched) => boolean): void {
    const batch = fromBinary(BatchSchema, bytes);
    for (const [index, event] of batch.events.entries()) {
      const [actor, ...ancestors] = rowsOf(batch, index);
      const one = { event, actor, ancestors };
      if (isWanted(one)) this.all.push(one);
    }
  }

  /** Resolves when there are so many, or throws. */
  async reach(count: number, timeoutMs: number): Promise<Enriched[]> {
    const explain = () => `there are ${this.all.length}`;
    await waitFor(() => this.all.length >= count, { what: `${count} events`, timeoutMs, explain });
    return this.all;
  }
}

/** The sum of a stage's counter over its status, 0 before it has one. */
export async function counterOf(sensor: Sensor, stage: string, name: string): Promise<number> {
  const status = (await sensor.statuses()).find((one) => one.stage === stage);
  return Number(status?.counters[name] ?? 0);
}

/** What `nightjar actors` prints with these arguments, as JSON. */
export async function actors(t: ExecutionContext, sensor: Sensor, args: string[]): Promise<Record<string, unknown>[]> {
  const argv = [CLI, "actors", "--state-dir", sensor.stateDir, "--json", ...args];
  const command = startProcess(t, process.execPath, argv);
  const { code } = await command.exited;
  t.is(code, 0, command.stderr);
  const lines = command.stdout.trim().split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}
