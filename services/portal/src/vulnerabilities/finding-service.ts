// What operators ask of findings, and of what images have and nobody uses.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type FindingService, ListFindingsResponseSchema, ListUnusedPackagesResponseSchema } from "@nightjar/proto";
import { rankOf } from "@nightjar/vulnerabilities";
import type { Database } from "../database.ts";
import { PAGE_DEFAULT } from "../limits.ts";
import { placeFrom } from "../page-place.ts";
import { asConnectError, refuse, type StoreFailure } from "../sensor-service.ts";
import { type FindingPlace, listFindings } from "./finding-store.ts";
import { unusedPackages } from "./unused.ts";
import { checkListing, problemOfPlace } from "./validate.ts";

/** `failed` is told of what the store could not do, and decides whether the process can go on. */
export function findingService(database: Database, failed: StoreFailure): ServiceImpl<typeof FindingService> {
  const guarded = <Answer>(work: Promise<Answer>) =>
    work.catch((error: unknown): never => {
      throw asConnectError(error, failed);
    });
  return {
    async listFindings(request) {
      refuse(checkListing(request));
      const limit = request.limit || PAGE_DEFAULT;
      const findings = await guarded(listFindings(database, { ...request, limit, after: placeOf(request.after) }));
      const last = findings.length === limit ? findings.at(-1) : undefined;
      const next = last && JSON.stringify([rankOf(last), last.id, last.sensorId]);
      return create(ListFindingsResponseSchema, { findings, next: next ? Buffer.from(next) : new Uint8Array() });
    },
    async listUnusedPackages(request) {
      refuse(checkListing({ ...request, advisory: "", limit: 0 }));
      const images = await guarded(unusedPackages(database, request.sensorId));
      return create(ListUnusedPackagesResponseSchema, { images });
    },
  };
}

/** A place as it went out with the page before. */
function placeOf(bytes: Uint8Array): FindingPlace | undefined {
  const place = placeFrom<[number, string, string]>(bytes, problemOfPlace);
  return place && { rank: place[0], id: place[1], sensorId: place[2] };
}
