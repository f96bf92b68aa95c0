// Kills the uplink without a warning at random moments while it sends.
import { moment, waitFor } from "@nightjar/test-support";
import { detections, type World } from "./world.ts";

/** Detections in one message of the bus: more moments, and more batches, than the sender's largest call. */
const BATCH = 50;
/** How long one lives at most once it is ready: some calls. */
const LIFE_MS_MAX = 400;
/** One in so many is killed without waiting until it is ready. */
const EARLY = 4;
const TURN_TIMEOUT_MS = 10 * 60_000;
const READY_TIMEOUT_MS = 60_000;

/** Publishes `count` detections while the uplink is killed `kills` times; resolves when the portal has all of them. */
export async function killWhileSending(world: World, count: number, kills: number): Promise<void> {
  let done = 0;
  const publishing = (async () => {
    // Spread over the kills, so that none falls on an uplink with nothing to do.
    for (let sent = 0; sent < count; sent += BATCH) {
      await waitFor(() => done >= Math.floor((sent / count) * kills), { what: "its turn", timeoutMs: TURN_TIMEOUT_MS });
      await world.publish(detections(Math.min(BATCH, count - sent)));
    }
  })();
  while (done < kills) {
    const uplink = world.startUplink();
    // Some die on their way, while they open the outbox or send what was left; the others at work.
    if (done % EARLY !== 0) await uplink.line(/"message":"uplink is ready"/, { timeoutMs: READY_TIMEOUT_MS });
    await moment(Math.random() * LIFE_MS_MAX);
    if (uplink.signal("SIGKILL")) done++;
    await uplink.exited;
  }
  await publishing;
  world.startUplink();
  await world.settled();
}
