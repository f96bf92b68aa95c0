// A stage that fails as soon as it starts, for the test of safe mode.
import { runStage } from "./stage.ts";

await runStage("aggregator", async (stage) => {
  stage.log.info(stage.isSafeMode ? "with as little as it can" : "as always");
  throw new TypeError('no use of "/home/ann/letter.txt"');
});
