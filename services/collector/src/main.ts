// The stage collector: what the kernel shows, or a recording, to RAW.
import { RecordingError, WireError } from "@nightjar/events";
import { EXIT_PROBE, EXIT_SETTINGS, runStage, type Stage, statePaths, takeLock } from "@nightjar/stage";
import { checkKernel } from "./check.ts";
import { CollectorError } from "./errors.ts";
import { replay } from "./replay.ts";
import { explain, watchKernel } from "./watch.ts";

/** Says what the kernel lets the probe do instead of watching; `nightjar doctor` asks so. */
const CHECK = "--check";

async function collect(stage: Stage): Promise<void> {
  lock(stage);
  await stage.bus.connect();
  const file = stage.settings.collector.replay_file;
  if (file === "") {
    try {
      await watchKernel(stage);
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
}

/** Two collectors would take the pinned ring from one another. Held until this process ends, however it ends. */
function lock(stage: Stage): void {
  const taken = takeLock(statePaths.lock(stage.stateDir, "collector"));
  if (taken.is === "taken") throw new CollectorError("COLLECTOR_ALREADY_RUNNING", stage.folder);
  if (taken.is === "failed") throw new CollectorError("COLLECTOR_LOCK_FAILED", taken.why);
}

if (process.argv[2] === CHECK) process.stdout.write(`${JSON.stringify(await checkKernel(process.argv.slice(3)))}\n`);
else await runStage("collector", collect);
