// A stage that was cut off while the interest changed learns of it when it is back.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { jetstream } from "@nats-io/jetstream";
import { InterestSchema } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { startBus, type TestBus } from "../harness/bus.ts";

const FOLLOWER = fileURLToPath(new URL("follower.ts", import.meta.url));
const [EXEC, OPEN] = [32, 35];
const BACK_TIMEOUT_MS = 30_000;

function lastWanted(bus: TestBus): string | undefined {
  try {
    return readFileSync(join(statePaths.folder(bus.stateDir, "enricher"), "wanted"), "utf8")
      .trim()
      .split("\n")
      .at(-1);
  } catch {
    return undefined;
  }
}

test("what changed while a stage was cut off is asked for when it is back", async (t) => {
  const bus = await startBus(t);
  const rules = jetstream(await bus.connect("rule-engine"));
  const want = (revision: bigint, eventTypes: number[]) =>
    rules.publish(
      "nightjar.interest.rule-engine",
      toBinary(InterestSchema, create(InterestSchema, { eventTypes, revision })),
    );
  await want(1n, [EXEC]);
  const follower = bus.startStage(FOLLOWER);
  const explain = () => follower.stderr.slice(-2_000);
  await waitFor(() => lastWanted(bus) === `${EXEC}`, { what: "it knows what is wanted", explain });
  // Stopped, it cannot come back to the new server before the interest changes there.
  process.kill(follower.pid, "SIGSTOP");
  t.teardown(() => follower.running && process.kill(follower.pid, "SIGCONT"));
  t.true(bus.killServer());
  const changed = () => want(2n, [EXEC, OPEN]).catch(() => undefined);
  await waitFor(changed, { what: "the new server has the new interest", timeoutMs: BACK_TIMEOUT_MS });
  process.kill(follower.pid, "SIGCONT");
  await waitFor(() => lastWanted(bus) === `${EXEC},${OPEN}`, {
    what: "it knows what changed",
    timeoutMs: BACK_TIMEOUT_MS,
    explain,
  });
  t.true(follower.running);
});
