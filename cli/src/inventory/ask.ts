// Asks the aggregator for its inventory.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { NatsConnection } from "@nats-io/transport-node";
import { InventoryDeltaSchema, type InventoryItem, InventoryItemSchema, InventoryRequestSchema } from "@nightjar/proto";
import { ASK_INVENTORY_SUBJECT } from "@nightjar/stage";

/** An inventory of 100,000 items is answered within some seconds. */
const ANSWER_WAIT_MS = 30_000;

/** What an item is: a member of InventoryItem.what. */
export type ItemKind = NonNullable<InventoryItem["what"]["case"]>;

/** The items of some kinds, all where none is named; undefined where no aggregator answers. */
export async function askInventory(
  connection: NatsConnection,
  kinds: readonly ItemKind[] = [],
): Promise<InventoryItem[] | undefined> {
  const { field } = InventoryItemSchema;
  const request = create(InventoryRequestSchema, { kinds: kinds.map((kind) => field[kind].number) });
  const items: InventoryItem[] = [];
  let isWhole = false;
  try {
    const answers = await connection.requestMany(ASK_INVENTORY_SUBJECT, toBinary(InventoryRequestSchema, request), {
      strategy: "sentinel",
      maxWait: ANSWER_WAIT_MS,
    });
    for await (const { data } of answers) {
      if (data.length === 0) continue;
      const delta = fromBinary(InventoryDeltaSchema, data);
      items.push(...delta.items);
      isWhole = delta.part + 1 === delta.parts;
    }
  } catch {
    // Nobody answers there; who asks says so.
    return undefined;
  }
  return isWhole ? items : undefined;
}
