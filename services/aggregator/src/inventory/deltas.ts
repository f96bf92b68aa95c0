// Cuts what changed in an inventory into messages that the bus takes.
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type InventoryDelta, InventoryDeltaSchema, type InventoryItem, InventoryItemSchema } from "@nightjar/proto";
import { bringUpToDate, type Catalogue, type Entry } from "./catalogue.ts";
import type { ItemKind } from "./identity.ts";

/** A part is at most so large, with what the bus adds to it. */
export const PART_BYTES_MAX = 256 * 1024;
/** What a field of a message takes beside its contents: a tag and a length. */
const FIELD_BYTES = 6;
const GONE_BYTES = 8;

export interface DeltaOptions {
  /** What the receiver has; 0 where it has nothing, or nothing of this epoch. */
  from: bigint;
  nowMs: number;
  kinds?: ReadonlySet<ItemKind>;
  /** Only items that were seen since, ms since 1970. */
  seenSinceMs?: number;
  /** The item as it is to be told. */
  render?: (entry: Entry) => InventoryItem;
}

/** The parts of the delta that brings who has `from` up to date; a snapshot where that is not to be told any more. */
export function deltaOf(catalogue: Catalogue, options: DeltaOptions): InventoryDelta[] {
  const { from, nowMs, kinds, seenSinceMs = 0, render = bringUpToDate } = options;
  const known = catalogue.since(from, kinds);
  const fromRevision = known ? from : 0n;
  const { entries, gone } = known ?? catalogue.since(0n, kinds) ?? { entries: [], gone: [] };
  const items = entries.filter(({ lastSeenMs }) => lastSeenMs >= seenSinceMs).map(render);
  const cut = cutByBytes(items);
  // What came back is among the items, or was told before.
  const goneIds = gone.map(({ id }) => id).filter((id) => catalogue.get(id) === undefined);
  const head = {
    epoch: catalogue.epoch,
    fromRevision,
    toRevision: catalogue.revision,
    takenAt: timestampFromMs(nowMs),
    folded: { items: BigInt(catalogue.evicted) },
  };
  const parts = cutGone(goneIds).map((ids) => create(InventoryDeltaSchema, { ...head, gone: ids }));
  parts.push(...cut.map((some) => create(InventoryDeltaSchema, { ...head, items: some })));
  if (parts.length === 0) parts.push(create(InventoryDeltaSchema, head));
  for (const [part, delta] of parts.entries()) Object.assign(delta, { part, parts: parts.length });
  return parts;
}

function cutByBytes(items: readonly InventoryItem[]): InventoryItem[][] {
  const cut: InventoryItem[][] = [];
  let part: InventoryItem[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = toBinary(InventoryItemSchema, item).length + FIELD_BYTES;
    if (part.length > 0 && bytes + size > PART_BYTES_MAX) {
      cut.push(part);
      [part, bytes] = [[], 0];
    }
    part.push(item);
    bytes += size;
  }
  if (part.length > 0) cut.push(part);
  return cut;
}

function cutGone(ids: readonly bigint[]): bigint[][] {
  const most = Math.floor(PART_BYTES_MAX / GONE_BYTES);
  return Array.from({ length: Math.ceil(ids.length / most) }, (_, at) => ids.slice(at * most, (at + 1) * most));
}
