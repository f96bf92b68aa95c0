// Encoded batches in a recording's file, and what is in them.
import { readFileSync } from "node:fs";
import { BatchReader, readRecording } from "@nightjar/events";
import { eventTypeName } from "@nightjar/proto";

/** Encoded batches as the rule engine gets them. */
export type Batches = readonly Uint8Array[];

export async function readBatches(file: string): Promise<Batches> {
  const chunks = (async function* () {
    yield readFileSync(file);
  })();
  const batches: Uint8Array[] = [];
  for await (const batch of readRecording(chunks)) batches.push(batch);
  return batches;
}

/** How many events there are of each type, the most first. */
export function countTypes(batches: Batches): [type: string, count: number][] {
  const counts = new Map<string, number>();
  for (const batch of batches.map((bytes) => new BatchReader(bytes))) {
    for (let index = 0; index < batch.length; index++) {
      const type = eventTypeName(batch.eventType(index));
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}
