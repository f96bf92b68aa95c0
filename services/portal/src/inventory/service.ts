// What sensors tell of what runs on their hosts, and what operators read of it.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type InventoryDelta,
  type InventoryService,
  ListInventoriesResponseSchema,
  type ListInventoryRequest,
  ListInventoryResponseSchema,
  SendInventoryResponseSchema,
} from "@nightjar/proto";
import { PAGE_DEFAULT } from "../limits.ts";
import type { Callers } from "../principal.ts";
import { asConnectError, refuse, type StoreFailure } from "../sensor-service.ts";
import { firstProblem, type Problem, sensorId } from "../validate.ts";
import { INVENTORY_PAGE_MAX, type InventoryStore } from "./store.ts";

export const inventoryCallers: Callers = {
  sendInventory: ["sensor"],
  listInventory: ["operator"],
  listInventories: ["operator"],
};

/** Parts of one delta: 256 KB each, of 500,000 items at most. */
const PARTS_MAX = 4_096;
const ITEMS_PER_PART_MAX = 50_000;
const ITEM_ID = /^([0-9a-f]{16})?$/;

export function inventoryService(store: InventoryStore, failed: StoreFailure): ServiceImpl<typeof InventoryService> {
  const guarded = <Answer>(work: Promise<Answer>) =>
    work.catch((error: unknown): never => {
      throw asConnectError(error, failed);
    });
  return {
    async sendInventory({ sensorId: id, delta }) {
      refuse(checkDelta(id, delta));
      const isTaken = !delta || (await guarded(store.take(id, delta)));
      return create(SendInventoryResponseSchema, { wantsSnapshot: !isTaken });
    },
    async listInventory(request) {
      refuse(checkList(request));
      const limit = request.limit || PAGE_DEFAULT;
      return create(ListInventoryResponseSchema, await guarded(store.list({ ...request, limit })));
    },
    async listInventories() {
      return create(ListInventoriesResponseSchema, { inventories: await guarded(store.sensors()) });
    },
  };
}

function checkDelta(id: string, delta: InventoryDelta | undefined): Problem {
  const { part = 0, parts = 0, items = [], gone = [], fromRevision = 0n, toRevision = 0n } = delta ?? {};
  return firstProblem([
    sensorId("sensor_id", id),
    ["delta", delta !== undefined, "it must be there"],
    ["delta.parts", parts >= 1 && parts <= PARTS_MAX, `1 to ${PARTS_MAX}`],
    ["delta.part", part < parts, "below delta.parts"],
    ["delta.to_revision", toRevision >= fromRevision && toRevision <= REVISION_MAX, "not below from_revision"],
    ["delta.items", items.length <= ITEMS_PER_PART_MAX, `at most ${ITEMS_PER_PART_MAX} entries`],
    ["delta.gone", gone.length <= ITEMS_PER_PART_MAX, `at most ${ITEMS_PER_PART_MAX} entries`],
    ["delta.items.revision", items.every(({ revision }) => revision <= toRevision), "not above to_revision"],
  ]);
}

/** The store's numbers are signed. */
const REVISION_MAX = 2n ** 62n;

function checkList({ sensorId: id, after, limit }: ListInventoryRequest): Problem {
  return firstProblem([
    sensorId("sensor_id", id),
    ["after", ITEM_ID.test(after), "`next` of an answer"],
    ["limit", limit <= INVENTORY_PAGE_MAX, `at most ${INVENTORY_PAGE_MAX}`],
  ]);
}
