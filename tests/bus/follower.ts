// A stage that follows the interest and notes what anyone wants, a line a change.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { followInterest, runStage } from "@nightjar/stage";

await runStage("enricher", async (stage) => {
  await stage.bus.connect();
  followInterest(stage, (wanted) => {
    appendFileSync(join(stage.folder, "wanted"), `${[...wanted.keys()].sort().join(",")}\n`);
  });
  stage.ready();
});
