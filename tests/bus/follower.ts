// A stage that follows the interest and notes what anyone wants, a line a change.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { followInterest, runStage, wantedBy } from "@nightjar/stage";

await runStage("enricher", async (stage) => {
  await stage.bus.connect();
  followInterest(stage, (holders) => {
    appendFileSync(join(stage.folder, "wanted"), `${[...wantedBy(holders).keys()].sort().join(",")}\n`);
  });
  stage.ready();
});
