// Records enriched events of an ordinary host's bustle, under the interest of the rules that are to be measured.
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { busCredentials, connectOnce, streamOf } from "@nightjar/stage";
import { Sensor } from "../pipeline/sensor.ts";
import { runWorkload } from "./workload.ts";

/** Runs a sensor with the rules, lets the workload run `times` times beside it, and returns what EVENTS carried. */
export async function recordEvents(
  folder: string,
  rules: readonly string[],
  times: number,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const sensor = await Sensor.start(folder, rules);
  try {
    const credentials = busCredentials(sensor.stateDir, "operator");
    if (!credentials) throw new Error("the sensor's bus has no address");
    const connection = await connectOnce(credentials.address, credentials.seed, "operator");
    const batches: Uint8Array[] = [];
    // Messages that came in one read share one buffer, which would all be kept.
    const callback = (_: unknown, { data }: { data: Uint8Array }) => void batches.push(data.slice());
    connection.subscribe(streamOf("EVENTS").subjects[0] as string, { callback });
    await connection.flush();
    for (let time = 0; time < times; time++) {
      signal.throwIfAborted();
      await runWorkload(mkdtempSync(join(folder, "work-")));
    }
    await sensor.drained();
    await connection.close();
    return batches;
  } finally {
    await sensor.stop();
  }
}
