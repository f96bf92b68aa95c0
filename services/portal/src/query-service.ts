// What people and programs ask: lists, and streams of what comes.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  ListDetectionsResponseSchema,
  ListSensorsResponseSchema,
  type QueryService,
  SensorStateSchema,
  type StreamDetectionsRequest,
  type StreamDetectionsResponse,
  StreamDetectionsResponseSchema,
} from "@nightjar/proto";
import { type Clock, msOfNs, nsOfTimestamp, timestampOfNs } from "./clock.ts";
import { conditionOf } from "./condition.ts";
import type { Feed } from "./feed.ts";
import { FETCH_ROWS, PAGE_DEFAULT, STREAMS_MAX } from "./limits.ts";
import { refuse } from "./sensor-service.ts";
import type { PageQuery, Store } from "./store.ts";
import { checkQuery } from "./validate.ts";

export function queryService(store: Store, feed: Feed, clock: Clock): ServiceImpl<typeof QueryService> {
  let streams = 0;
  return {
    async listDetections(request) {
      refuse(checkQuery(request));
      const limit = request.limit || PAGE_DEFAULT;
      const { detections, more } = await store.listDetections(pageQuery(request, limit));
      const next = detections.at(-1)?.cursor ?? request.after;
      return create(ListDetectionsResponseSchema, { detections, next, more });
    },
    async *streamDetections(request, context) {
      refuse(checkQuery(request));
      if (streams >= STREAMS_MAX)
        throw new ConnectError(`${streams} streams are open, the most`, Code.ResourceExhausted);
      streams++;
      try {
        yield* follow(store, feed, request, context.signal);
      } finally {
        streams--;
      }
    },
    async listSensors() {
      const now = clock();
      const sensors = (await store.listSensors()).map(({ heartbeat, firstSeenNs, lastSeenNs }) =>
        create(SensorStateSchema, {
          sensor: heartbeat.sensor!,
          condition: conditionOf(heartbeat, msOfNs(lastSeenNs), now),
          firstSeen: timestampOfNs(firstSeenNs),
          lastSeen: timestampOfNs(lastSeenNs),
          stages: heartbeat.stages,
          visibility: heartbeat.visibility,
          ...(heartbeat.configuration && { configuration: heartbeat.configuration }),
        }),
      );
      return create(ListSensorsResponseSchema, { sensors });
    },
  };
}

/** What is stored, then each as it comes, until the reader goes. */
async function* follow(
  store: Store,
  feed: Feed,
  request: StreamDetectionsRequest,
  signal: AbortSignal,
): AsyncGenerator<StreamDetectionsResponse> {
  let after = request.after;
  while (!signal.aborted) {
    // Taken before the page is read: all up to here is stored, so a page that is not full has passed it.
    const upTo = feed.latest;
    const { detections, more } = await store.listDetections(pageQuery({ ...request, after }, FETCH_ROWS));
    for (const detection of detections) {
      yield create(StreamDetectionsResponseSchema, { detection });
      after = detection.cursor;
    }
    if (more) continue;
    if (upTo > after) after = upTo;
    await feed.wait(after, signal);
  }
}

function pageQuery(
  request: Pick<StreamDetectionsRequest, "after" | "since"> & { sensorId?: string; idPrefix?: string },
  limit: number,
) {
  const query: PageQuery = { after: request.after, limit };
  if (request.since) query.sinceNs = nsOfTimestamp(request.since);
  if (request.sensorId) query.sensorId = request.sensorId;
  if (request.idPrefix) query.idPrefix = request.idPrefix;
  return query;
}
