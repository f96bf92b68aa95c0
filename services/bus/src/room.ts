// What happens when there is no room: detections of the lowest severity go first, the other queues take no more.
import type { JetStreamManager } from "@nats-io/jetstream";
import { PrioritySchema, wordsOf } from "@nightjar/proto";
import type { Stream, StreamName } from "@nightjar/stage";
import { hasDurable } from "./provision.ts";

/** A stream above this part of its size is called full; making room ends below the other. */
const FULL_PERCENT = 90;
const ROOM_PERCENT = 80;
/** Each round halves one subject, so this is more than enough for all. */
const ROUNDS_MAX = 256;

/** Which stream gives up what it holds; the other queues refuse what they have no room for. */
export const GIVES_UP: StreamName = "DETECTIONS";

/**
 * The streams to close while the disk is full: the writers of queues hold back, logs give up their oldest. A server
 * that meets the end of the disk gives a stream up until it is started anew: not even what is acknowledged leaves it
 * then.
 */
export function closedWhenDiskFull(streams: readonly Stream[]): Stream[] {
  return streams.filter((stream) => hasDurable(stream) && stream.name !== GIVES_UP);
}

/** From the worst to the least: the words of Priority as they stand in subjects. */
const SEVERITIES: readonly string[] = [...wordsOf(PrioritySchema)]
  .sort(([a], [b]) => a - b)
  .map(([, word]) => word.toLowerCase());

/** Whether `bytes` are nearly all of `maxBytes`. */
export function isNearlyFull(bytes: number, maxBytes: number): boolean {
  return maxBytes > 0 && bytes * 100 > maxBytes * FULL_PERCENT;
}

/** Which subject to purge next, and how many of its newest messages to keep; undefined when there is none. */
export function nextPurge(counts: Readonly<Record<string, number>>): { subject: string; keep: number } | undefined {
  const [least] = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => rankOf(b) - rankOf(a));
  return least && { subject: least[0], keep: Math.floor(least[1] / 2) };
}

/** 0 is the worst; what has no known severity counts as less than the least. */
function rankOf(subject: string): number {
  const rank = SEVERITIES.indexOf(subject.slice(subject.lastIndexOf(".") + 1).toLowerCase());
  return rank === -1 ? SEVERITIES.length : rank;
}

/** Purges until the stream has room again. Resolves with the number of messages that were given up, by subject. */
export async function makeRoom(manager: JetStreamManager, stream: string): Promise<Map<string, number>> {
  const purged = new Map<string, number>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { state, config } = await manager.streams.info(stream, { subjects_filter: ">" });
    if (state.bytes * 100 <= config.max_bytes * ROOM_PERCENT) break;
    const next = nextPurge(state.subjects ?? {});
    if (!next) break;
    const { subject, keep } = next;
    const { purged: count } = await manager.streams.purge(
      stream,
      keep > 0 ? { filter: subject, keep } : { filter: subject },
    );
    purged.set(subject, (purged.get(subject) ?? 0) + count);
  }
  return purged;
}
