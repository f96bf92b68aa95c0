// Publishes a recording as if the kernel had just shown it: the same batches, with the same identities.
import { createReadStream } from "node:fs";
import { BatchReader, readRecording } from "@nightjar/events";
import type { Stage } from "@nightjar/stage";
import { RawPublisher } from "./raw-publisher.ts";

/** Resolves when all of the recording is stored on the bus; rejects with a RecordingError when it is none. */
export async function replay(stage: Stage, file: string): Promise<void> {
  const inFlightMax = stage.settings.collector.in_flight_batches;
  let publisher: RawPublisher | undefined;
  let source: string | undefined;
  for await (const part of readRecording(createReadStream(file))) {
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
    });
  }
  await publisher?.fewerThan(1);
  stage.facts.set("replay", "finished");
  stage.log.info("the recording is published", { file, events: stage.counters.get("events_published") });
}
