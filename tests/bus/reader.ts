// A stage that passes RAW on to EVENTS and notes what it handles; some messages are garbage to it, some end it.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { GarbageError, runStage } from "@nightjar/stage";

await runStage("enricher", async (stage) => {
  const file = join(stage.folder, "handled");
  await stage.bus.connect();
  stage.bus.consume(
    "RAW",
    async (bytes) => {
      const text = Buffer.from(bytes).toString();
      if (text === "garbage") throw new GarbageError("it says so itself");
      if (text === "poison") throw new TypeError("a bug that this message meets");
      appendFileSync(file, `${text}\n`);
      await stage.bus.publish("EVENTS", "nightjar.events", bytes, `events-${text}`);
    },
    { inFlightMax: 32 },
  );
  stage.ready();
});
