// The stage collector: what the kernel shows, or a recording, to RAW.
import { RecordingError, WireError } from "@nightjar/events";
import { EXIT_PROBE, EXIT_SETTINGS, runStage } from "@nightjar/stage";
import { replay } from "./replay.ts";
import { explain, watchKernel } from "./watch.ts";

await runStage("collector", async (stage) => {
  await stage.bus.connect();
  const file = stage.settings.collector.replay_file;
  if (file === "") {
    try {
      watchKernel(stage);
    } catch (error) {
      const { message, fields } = explain(error);
      stage.log.error(message, fields);
      await stage.stop(EXIT_PROBE);
      return;
    }
    stage.ready();
    return;
  }
  stage.ready();
  try {
    await replay(stage, file);
  } catch (error) {
    if (!(error instanceof RecordingError || error instanceof WireError)) throw error;
    stage.log.error(error.message, { code: error.code, file });
    await stage.stop(EXIT_SETTINGS);
  }
});
