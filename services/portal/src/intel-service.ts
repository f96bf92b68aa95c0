// What sensors ask of indicators, and what operators tell: look-ups, changes, imports.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  ImportIndicatorsResponseSchema,
  type IndicatorKind,
  type IntelService,
  ListChangesResponseSchema,
  ListHashesResponseSchema,
  ListIndicatorSourcesResponseSchema,
  ListIndicatorsResponseSchema,
  LookUpResponseSchema,
  RemoveIndicatorsResponseSchema,
} from "@nightjar/proto";
import type { Clock } from "./clock.ts";
import { PortalError } from "./errors.ts";
import { type IndicatorPlace, IndicatorsFullError, type IntelStore } from "./intel-store.ts";
import { checkImport, checkLookUp, checkPage, checkRemoval, problemOfPlace } from "./intel-validate.ts";
import { PAGE_DEFAULT } from "./limits.ts";
import { placeFrom } from "./page-place.ts";
import type { Callers } from "./principal.ts";
import { refuse, type StoreFailure } from "./sensor-service.ts";

export const intelCallers: Callers = {
  lookUp: ["sensor", "operator"],
  listChanges: ["sensor", "operator"],
  listHashes: ["sensor", "operator"],
  importIndicators: ["operator"],
  removeIndicators: ["operator"],
  listIndicators: ["operator"],
  listIndicatorSources: ["operator"],
};

/** `failed` is told of what the store could not do, and decides whether the process can go on. */
export function intelService(store: IntelStore, clock: Clock, failed: StoreFailure): ServiceImpl<typeof IntelService> {
  const guarded = <Answer>(work: Promise<Answer>) =>
    work.catch((error: unknown): never => {
      throw asConnectError(error, failed);
    });
  return {
    async lookUp(request) {
      refuse(checkLookUp(request));
      return create(LookUpResponseSchema, await guarded(store.lookUp(request.indicators, clock())));
    },
    async listChanges({ after }) {
      const { hashes, generation } = await guarded(store.changesAfter(after));
      return create(ListChangesResponseSchema, { hashes: hashes ?? [], generation, all: hashes === undefined });
    },
    async listHashes({ after }) {
      const { hashes, generation, next } = await guarded(store.hashes(placeOf(after), clock()));
      return create(ListHashesResponseSchema, { hashes, generation, next: bytesOf(next) });
    },
    async importIndicators(request) {
      refuse(checkImport(request));
      const result = await guarded(store.save(request.importId, request.verdicts, clock()));
      return create(ImportIndicatorsResponseSchema, result);
    },
    async removeIndicators(request) {
      refuse(checkRemoval(request));
      const { removed, generation } = await guarded(store.remove(request));
      return create(RemoveIndicatorsResponseSchema, { removed: BigInt(removed), generation });
    },
    async listIndicators(request) {
      refuse(checkPage(request));
      const { source, value, after, limit: asked } = request;
      const limit = asked || PAGE_DEFAULT;
      const indicators = await guarded(store.list({ source, value, after: placeOf(after), limit }));
      const last = indicators.length === limit ? indicators.at(-1)?.verdict : undefined;
      const next = last?.indicator && { ...last.indicator, source: last.source };
      return create(ListIndicatorsResponseSchema, { indicators, next: bytesOf(next) });
    },
    async listIndicatorSources() {
      return create(ListIndicatorSourcesResponseSchema, { sources: await guarded(store.sources(clock())) });
    },
  };
}

function asConnectError(error: unknown, failed: StoreFailure): ConnectError {
  if (error instanceof IndicatorsFullError) return new ConnectError(error.message, Code.ResourceExhausted);
  failed(error);
  if (error instanceof PortalError) return new ConnectError(error.message, Code.Unavailable);
  return new ConnectError("the portal's store failed; try again later", Code.Unavailable);
}

/** A place as it goes out and comes back; to who asks it is bytes. */
function bytesOf(place: IndicatorPlace | undefined): Uint8Array {
  const { kind, value, source } = place ?? { kind: 0, value: "", source: "" };
  return place ? Buffer.from(JSON.stringify([value, kind, source])) : new Uint8Array();
}

function placeOf(bytes: Uint8Array): IndicatorPlace | undefined {
  const place = placeFrom<[string, IndicatorKind, string]>(bytes, problemOfPlace);
  return place && { value: place[0], kind: place[1], source: place[2] };
}
