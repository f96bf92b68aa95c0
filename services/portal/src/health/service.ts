// What sensors report of their health issues, and what people ask of them: lists, and a stream of what changes.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  type HealthService,
  ListHealthIssuesResponseSchema,
  ListOutagesResponseSchema,
  ReportHealthResponseSchema,
  type StreamHealthIssuesRequest,
  type StreamHealthIssuesResponse,
  StreamHealthIssuesResponseSchema,
} from "@nightjar/proto";
import { type Clock, nsOfTimestamp } from "../clock.ts";
import type { Feed } from "../feed.ts";
import { FETCH_ROWS, FOLLOW_LOOK_MS, PAGE_DEFAULT, STREAMS_MAX } from "../limits.ts";
import { asConnectError, refuse, type StoreFailure } from "../sensor-service.ts";
import type { HealthStore, IssueQuery } from "./issue-store.ts";
import type { OutageStore } from "./outage-store.ts";
import { checkHealthQuery, checkReportHealth } from "./validate.ts";

export interface HealthParts {
  issues: HealthStore;
  outages: OutageStore;
  /** Of the cursors of health issues. */
  feed: Feed;
  clock: Clock;
  failed: StoreFailure;
}

export function healthService(parts: HealthParts): ServiceImpl<typeof HealthService> {
  const { issues, outages, feed, clock, failed } = parts;
  let streams = 0;
  return {
    async reportHealth(request) {
      refuse(checkReportHealth(request));
      const cursor = await issues.save(request, clock()).catch((error: unknown) => {
        throw asConnectError(error, failed);
      });
      feed.advance(cursor);
      return create(ReportHealthResponseSchema);
    },
    async listHealthIssues(request) {
      refuse(checkHealthQuery(request));
      const query = { ...issueQuery(request, request.limit || PAGE_DEFAULT), onlyOpen: request.onlyOpen };
      const page = await issues.list(query);
      const next = page.issues.at(-1)?.cursor ?? request.after;
      return create(ListHealthIssuesResponseSchema, { ...page, next });
    },
    async *streamHealthIssues(request, context) {
      refuse(checkHealthQuery(request));
      if (streams >= STREAMS_MAX)
        throw new ConnectError(`${streams} streams are open, the most`, Code.ResourceExhausted);
      streams++;
      try {
        yield* follow(parts, request, context.signal);
      } finally {
        streams--;
      }
    },
    async listOutages(request) {
      refuse(checkHealthQuery(request));
      const query = { nowMs: clock(), limit: request.limit || PAGE_DEFAULT, ...filters(request) };
      return create(ListOutagesResponseSchema, { outages: await outages.list(query) });
    },
  };
}

/** What is stored, then each change as it comes, until the reader goes. */
async function* follow(
  { issues, feed }: HealthParts,
  request: StreamHealthIssuesRequest,
  signal: AbortSignal,
): AsyncGenerator<StreamHealthIssuesResponse> {
  let after = request.after;
  while (!signal.aborted) {
    // Taken before the page is read: all up to here is stored, so a page that is not full has passed it.
    const upTo = await issues.lastCursor();
    const page = await issues.list(issueQuery({ ...request, after }, FETCH_ROWS));
    for (const issue of page.issues) {
      yield create(StreamHealthIssuesResponseSchema, { issue });
      after = issue.cursor;
    }
    if (page.more) continue;
    if (upTo > after) after = upTo;
    // Another portal on the same database rings no bell here.
    await feed.wait(after, AbortSignal.any([signal, AbortSignal.timeout(FOLLOW_LOOK_MS)]));
  }
}

type Filters = Pick<StreamHealthIssuesRequest, "sensorId" | "since">;

function filters({ sensorId, since }: Filters): { sensorId?: string; sinceNs?: bigint } {
  return { ...(sensorId && { sensorId }), ...(since && { sinceNs: nsOfTimestamp(since) }) };
}

function issueQuery(request: Filters & { after: bigint }, limit: number): IssueQuery {
  return { after: request.after, limit, ...filters(request) };
}
