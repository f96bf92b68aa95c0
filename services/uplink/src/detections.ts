// Detections on their way: from the bus to the outbox, from the outbox to the portal, deleted when they are stale.
import { hostname } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type DetectionBatch, DetectionBatchSchema } from "@nightjar/proto";
import { redactMessage } from "@nightjar/redact";
import { Backoff, describeError, GarbageError, pause, type Stage } from "@nightjar/stage";
import { detectionIn, type Encoded, encodedDetection, requestWith } from "./encoded.ts";
import { DISK_RETRY_MS, OUTBOX_RELIEVED } from "./limits.ts";
import type { Link } from "./link.ts";
import { Outbox } from "./outbox.ts";
import type { Outputs } from "./outputs/wanted.ts";
import type { PortalClient } from "./portal-client.ts";
import { backoffOptions, crash } from "./retries.ts";
import { runSender } from "./sender.ts";
import { startStaleSweep } from "./stale.ts";
import { steadyClock } from "./steady-clock.ts";

export interface Parts {
  /** The sensor's id. */
  id: string;
  client: PortalClient;
  link: Link;
}

export interface Detections {
  readonly outbox: Outbox;
  /** Takes in a message of the stream DETECTIONS; resolves when it is safe. */
  keep: (bytes: Uint8Array) => Promise<void>;
}

/** Opens the outbox and sends what an earlier process left there, with or without a bus. */
export async function startDetections(stage: Stage, parts: Parts, outputs: Outputs): Promise<Detections> {
  const clock = steadyClock(stage.folder);
  const outbox = await openOutbox(stage, clock);
  startSender(stage, parts, outbox);
  startStaleSweep(stage, outbox, clock);
  return { outbox, keep: (bytes) => keep(stage, outbox, outputs, bytes) };
}

function openOutbox(stage: Stage, clock: () => number): Promise<Outbox> {
  return Outbox.open(join(stage.folder, "outbox"), {
    bytesMax: stage.settings.uplink.outbox_bytes,
    clock,
    evicted: (count) => {
      stage.counters.add("detections_evicted", count);
      stage.health.raise(
        "OUTBOX_FULL",
        "the outbox is full; of the lowest severity the most repeated detections are deleted",
      );
    },
    broken: (movedTo, error) => {
      stage.counters.add("outboxes_broken");
      stage.health.raise("OUTBOX_BROKEN", `the outbox could not be read and was moved to ${movedTo}`);
      stage.log.error("the outbox cannot be read; what was in it is not sent", { movedTo, error });
    },
  });
}

/**
 * Resolves when the batch is on the disk, for the portal and for each output, without secrets; until the disk takes
 * it, the bus keeps it too. Here, behind rules and stories, which had to see what is secret, and before all that is a
 * copy or leaves the host.
 */
async function keep(stage: Stage, outbox: Outbox, outputs: Outputs, bytes: Uint8Array): Promise<void> {
  let batch: DetectionBatch;
  try {
    batch = fromBinary(DetectionBatchSchema, bytes);
  } catch (error) {
    throw new GarbageError(`no DetectionBatch: ${describeError(error)}`);
  }
  redactMessage(stage.redactor, DetectionBatchSchema, batch);
  // What waits for the disk waits encoded: decoded, detections take some fifty times as much memory.
  const detections = batch.detections.map(encodedDetection);
  await Promise.all([keepForPortal(stage, outbox, detections), outputs.keep(detections)]);
  stage.counters.add("detections_in", detections.length);
}

async function keepForPortal(stage: Stage, outbox: Outbox, detections: readonly Encoded[]): Promise<void> {
  for (;;) {
    try {
      await outbox.add(detections);
      break;
    } catch (error) {
      stage.health.raise("DISK_FULL", `the outbox cannot be written: ${describeError(error)}`);
      stage.progress.advance();
      await pause(DISK_RETRY_MS);
    }
  }
  stage.health.resolve("DISK_FULL");
}

function startSender(stage: Stage, { id, client, link }: Parts, outbox: Outbox): void {
  const { settings, signal, counters, health, log } = stage;
  const backoff = new Backoff(backoffOptions(settings.uplink));
  link.onReturn(() => backoff.reset());
  const sending = runSender(
    {
      outbox,
      send: (detections) => client.sendDetections(requestWith(detections, { sensorId: id, hostName: hostname() })),
      backoff,
      wait: (ms) => link.wait(ms, signal),
      sent: (count) => {
        counters.add("detections_sent", count);
        if (outbox.bytes < settings.uplink.outbox_bytes * OUTBOX_RELIEVED) health.resolve("OUTBOX_FULL");
        link.up();
      },
      failed: (failure) => link.down(failure),
      refused: (entry, why) => {
        const { rule } = detectionIn(entry);
        counters.add("detections_refused");
        health.raise("DETECTION_REFUSED", `the portal refused a detection of "${rule}": ${why}`);
        log.error("the portal refused a detection; it is kept in the outbox's part for refused ones", {
          resp: why,
          detection: entry.id,
          rule,
        });
      },
    },
    signal,
  );
  sending.catch((error) => crash(error));
  stage.onStop(() => sending);
}
