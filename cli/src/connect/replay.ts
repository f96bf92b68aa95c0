// Tells when a recording has gone through all stages.
import type { NatsConnection } from "@nats-io/transport-node";
import type { StageStatus } from "@nightjar/proto";
import { askStatuses, pause, streams } from "@nightjar/stage";
import { connectAs } from "./bus.ts";
import { connectPortal } from "./portal.ts";
import { type Queue, readQueues } from "./streams.ts";

const ASK_INTERVAL_MS = 200;
const PAGE_DETECTIONS = 1_000;

/** Resolves when nothing of the recording is under way any more, or `signal` is aborted. */
export async function untilReplayed(stateDir: string, signal: AbortSignal): Promise<void> {
  let connection: NatsConnection | undefined;
  while (!signal.aborted) {
    try {
      connection ??= await connectAs(stateDir, "operator");
      const statuses = await askStatuses(connection, ASK_INTERVAL_MS);
      if (isReplayed(statuses, await readQueues(connection))) break;
    } catch {
      // The bus or a stage is being started again.
    }
    await pause(ASK_INTERVAL_MS, signal);
  }
  await connection?.close();
}

/**
 * The collector has put all of it on the bus before its queue can be empty, and what a stage has acknowledged lies in
 * the next queue already; the outbox is the last.
 */
export function isReplayed(statuses: readonly StageStatus[], queues: readonly Queue[]): boolean {
  const of = (name: string) => statuses.find(({ stage }) => stage === name);
  const published = of("collector")?.facts.replay === "finished";
  const queueCount = streams.filter(({ retention }) => retention === "work_queue").length;
  const empty = queues.length === queueCount && queues.every(({ messages }) => messages === 0);
  const told = of("rule-engine")?.counters.repeats_untold === 0n;
  return published && empty && told && of("uplink")?.counters.outbox_detections === 0n;
}

/** The cursor of the last detection that the portal has now; 0 when it has none. */
export async function lastCursor(stateDir: string): Promise<bigint> {
  const portal = connectPortal(stateDir);
  for (let after = 0n; ; ) {
    const { next, more } = await portal.listDetections({ after, limit: PAGE_DETECTIONS });
    if (!more) return next;
    after = next;
  }
}
