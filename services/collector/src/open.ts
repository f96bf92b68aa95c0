// Opens the probe: pinned where that can be, taking over what an earlier collector left; and drains what cannot be.
import { sourceIdOf } from "@nightjar/events";
import {
  type Ledger,
  openPinnedProbe,
  openProbe,
  type PinnedOptions,
  type Probe,
  ProbeError,
  type ProbeOptions,
  type RetiredRing,
} from "@nightjar/native-probe";
import type { Stage } from "@nightjar/stage";
import { ownProcess } from "./own-processes.ts";
import { preparePinPlace } from "./pin-place.ts";
import { RawPublisher } from "./raw-publisher.ts";
import { wantedRing } from "./ring-size.ts";

/** While older rings are drained nobody reads the new one, whose programs must not take that for an absence. */
const KEEP_ALIVE_MS = 1_000;

export interface Opened {
  probe: Probe;
  isPinned: boolean;
  retired: readonly RetiredRing[];
}

/** Throws ProbeError where the kernel lets nothing load. */
export function openKernel(stage: Stage, onBatch: ProbeOptions["onBatch"]): Opened {
  const { in_flight_batches, reader_gone_after_s, bpffs, calls_seen_at } = stage.settings.collector;
  const options = {
    batchesInFlightMax: in_flight_batches,
    readerGoneAfterS: reader_gone_after_s,
    callsSeenAt: calls_seen_at,
    // The programs of the collector before it watch already, and it goes on to write to their maps.
    own: ownProcess(process.pid),
    onBatch,
    onError: (error: Error) => {
      throw error;
    },
    ...wantedRing(stage),
  };
  const place = preparePinPlace(bpffs, stage.stateDir);
  if ("problem" in place) return openUnpinned(stage, options, place.problem);
  try {
    return openPinned(stage, { ...options, folder: place.folder });
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    // What does not load does not load unpinned either, and says so again.
    return openUnpinned(stage, options, `${error.message} (${error.code})`);
  }
}

function openUnpinned(stage: Stage, options: ProbeOptions, why: string): Opened {
  const probe = openProbe(options);
  stage.health.raise("PROBE_UNPINNED", `the probe is not pinned: ${why}`);
  stage.facts.set("pinned", `no: ${why}`);
  beginWatch(stage);
  return { probe, isPinned: false, retired: [] };
}

function openPinned(stage: Stage, options: PinnedOptions): Opened {
  const { probe, takenOver, retired, lost, overlapNs } = openPinnedProbe(options);
  stage.facts.set("pinned", options.folder);
  if (!takenOver && retired.length === 0) beginWatch(stage);
  stage.log.info(takenOver ? "the probe was running and is taken over" : "the probe is loaded and pinned", {
    folder: options.folder,
    ...(overlapNs > 0n && { both_recorded_ns: Number(overlapNs) }),
  });
  for (const { set, why } of lost) stage.health.raise("PROBE_RING_LOST", `${set} could not be read: ${why}`);
  return { probe, isPinned: true, retired };
}

/** Nothing was there to take over: until now nobody watched. */
function beginWatch({ facts }: Stage): void {
  facts.set("watching_since", new Date().toISOString());
}

/**
 * Publishes all that the rings of other versions hold, one after the other, then lets go of them. Resolves with their
 * counters; early when the stage stops, and what is not drained by then waits for the next collector.
 */
export async function drainRetired(stage: Stage, { probe, retired }: Opened): Promise<Ledger[]> {
  const keepAlive = setInterval(() => probe.beat(), KEEP_ALIVE_MS);
  try {
    for (const ring of retired) await drain(stage, ring);
  } finally {
    clearInterval(keepAlive);
  }
  return retired.flatMap((ring) => ring.ledger());
}

async function drain(stage: Stage, ring: RetiredRing): Promise<void> {
  const source = sourceIdOf(ring.bootId, ring.epoch);
  const publisher = new RawPublisher(stage, source, (position) => ring.release(position));
  stage.onStop(() => ring.close());
  stage.log.info("the ring buffer of another version is drained", { source });
  const { failure, unreadBytes, unknownRecords } = await ring.read((bytes, firstPosition, nextPosition, events) =>
    publisher.publish({ bytes, firstPosition, nextPosition, events }),
  );
  if (stage.signal.aborted) return;
  await publisher.fewerThan(1);
  if (failure !== "") stage.health.raise("PROBE_RING_LOST", `${unreadBytes} bytes of ${source}: ${failure}`);
  ring.remove();
  stage.log.info("it is drained and gone", { source, unknown_records: unknownRecords });
}
