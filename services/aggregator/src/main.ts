// The stage aggregator: takes in FACTS, what really runs and with whom it speaks.
import { BatchReader, WireError } from "@nightjar/events";
import { GarbageError, type MessageInfo, runStage, type Stage } from "@nightjar/stage";
import { readBatches } from "./facts.ts";
import { publishInterest } from "./interest.ts";

await runStage("aggregator", main);

async function main(stage: Stage): Promise<void> {
  const { bus, counters, settings } = stage;
  await bus.connect();
  let last = 0;
  const take = async (bytes: Uint8Array, { sequence }: MessageInfo): Promise<void> => {
    if (last > 0 && sequence > last + 1) tellLost(stage, sequence - last - 1);
    last = sequence;
    for (const batch of readable(() => readBatches(bytes).map((each) => new BatchReader(each)))) {
      counters.add("batches");
      counters.add("facts", batch.length);
    }
  };
  bus.consume("FACTS", take, { inFlightMax: settings.aggregator.in_flight_messages });
  await publishInterest(stage);
  stage.beforeStatus = () => {
    stage.summary = `${counters.get("facts")} facts taken in`;
  };
  stage.ready();
}

function tellLost({ counters, health }: Stage, messages: number): void {
  counters.add("messages_lost", messages);
  health.raise("FACTS_LOST", `${counters.get("messages_lost")} messages had to make room since the start`);
}

/** What looking into a message gives; bytes that are none of ours are garbage, not a bug. */
function readable<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof WireError) throw new GarbageError(error.message);
    throw error;
  }
}
