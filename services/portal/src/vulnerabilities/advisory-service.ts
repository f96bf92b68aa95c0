// What operators tell of known vulnerabilities: imports, removals, sources.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  type AdvisoryService,
  ImportAdvisoriesResponseSchema,
  ListAdvisorySourcesResponseSchema,
  RemoveAdvisoriesResponseSchema,
} from "@nightjar/proto";
import type { Clock } from "../clock.ts";
import { asConnectError, refuse, type StoreFailure } from "../sensor-service.ts";
import { AdvisoriesFullError, type AdvisoryStore } from "./advisory-store.ts";
import { checkImport, checkRemoval } from "./validate.ts";

/** `failed` is told of what the store could not do, and decides whether the process can go on. */
export function advisoryService(
  store: AdvisoryStore,
  clock: Clock,
  failed: StoreFailure,
): ServiceImpl<typeof AdvisoryService> {
  const guarded = <Answer>(work: Promise<Answer>) =>
    work.catch((error: unknown): never => {
      if (error instanceof AdvisoriesFullError) throw new ConnectError(error.message, Code.ResourceExhausted);
      throw asConnectError(error, failed);
    });
  return {
    async importAdvisories(request) {
      refuse(checkImport(request));
      const saved = await guarded(store.save(request, request.advisories, clock()));
      return create(ImportAdvisoriesResponseSchema, saved);
    },
    async removeAdvisories(request) {
      refuse(checkRemoval(request));
      const removed = await guarded(store.remove(request.source, request.exceptImportId));
      return create(RemoveAdvisoriesResponseSchema, { removed: BigInt(removed) });
    },
    async listAdvisorySources() {
      return create(ListAdvisorySourcesResponseSchema, { sources: await guarded(store.sources()) });
    },
  };
}
