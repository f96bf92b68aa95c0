// Publishes a recording as if the kernel had just shown it: the same batches, with the same identities.
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { BatchReader, RECORDING_SUFFIX, RecordingError, readRecording } from "@nightjar/events";
import type { Stage } from "@nightjar/stage";
import { RawPublisher } from "./raw-publisher.ts";

/**
 * Resolves when all of the recording, a file or a folder of parts, is stored on the bus; rejects with a RecordingError
 * when it is none.
 */
export async function replay(stage: Stage, path: string): Promise<void> {
  const inFlightMax = stage.settings.collector.in_flight_batches;
  let publisher: RawPublisher | undefined;
  let source: string | undefined;
  let parts = 0;
  for await (const part of partsOf(path)) {
    // A part is a view on the file's chunk, and the message must outlive it.
    const bytes = Uint8Array.from(part);
    const batch = new BatchReader(bytes);
    if (!publisher || source !== batch.sourceId) {
      await publisher?.fewerThan(1);
      source = batch.sourceId;
      publisher = new RawPublisher(stage, source, () => {});
    }
    await publisher.fewerThan(inFlightMax);
    publisher.publish({
      bytes,
      firstPosition: BigInt(batch.firstPosition),
      nextPosition: BigInt(batch.nextPosition),
      events: batch.length,
      ...(batch.firstPosition === batch.nextPosition && { part: parts++ }),
    });
  }
  await publisher?.fewerThan(1);
  stage.facts.set("replay", "finished");
  stage.log.info("the recording is published", { file: path, events: stage.counters.get("events_published") });
}

async function* partsOf(path: string): AsyncGenerator<Uint8Array> {
  if (!statSync(path).isDirectory()) return yield* readRecording(createReadStream(path));
  const names = readdirSync(path).filter((name) => name.endsWith(RECORDING_SUFFIX));
  if (names.length === 0) throw new RecordingError("RECORDING_FOREIGN", "the folder has no recordings in it");
  for (const name of names.sort()) yield* readRecording(createReadStream(join(path, name)));
}
