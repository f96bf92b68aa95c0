// kill -9 of the uplink while it sends: the portal has each detection, and none twice.
//
//   UPLINK_KILLS=100 UPLINK_DETECTIONS=10000 ./nightjar test uplink -- --match '*kills*'
import test from "ava";
import { whyNoNetwork } from "../harness/network.ts";
import { killWhileSending } from "./kills.ts";
import { startWorld } from "./world.ts";

const KILLS = Number(process.env.UPLINK_KILLS ?? 12);
const DETECTIONS = Number(process.env.UPLINK_DETECTIONS ?? 2_000);
const TEST_MS_MAX = 20 * 60_000;

const reason = whyNoNetwork();
const run = reason ? test.skip : test;

run(`${KILLS} kills during ${DETECTIONS} detections${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(TEST_MS_MAX);
  const world = await startWorld(t);
  await killWhileSending(world, DETECTIONS, KILLS);
  t.is(world.published.size, DETECTIONS);
  t.deepEqual([...world.stored.keys()].sort(), [...world.published].sort(), "all, and nothing else");
  t.true(
    [...world.stored.values()].every((times) => times === 1),
    "none twice",
  );
  t.log(`${await world.repeated()} were sent again, since a killed uplink could not know that the portal had them`);
});
