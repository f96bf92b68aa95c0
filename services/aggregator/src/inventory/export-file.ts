// Keeps what was seen in the last 48 hours beside the database, in a form that others read: docs/inventory.md.
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { toJsonString } from "@bufbuild/protobuf";
import { sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import { InventoryDeltaSchema, InventoryItemSchema } from "@nightjar/proto";
import { deltaOf } from "./deltas.ts";
import type { Inventory } from "./inventory.ts";

const MS_PER_H = 3_600_000;
/** What a scanner finds: everything seen in so long a time. */
const SEEN_SINCE_MS = 48 * MS_PER_H;
/** Everyone on the host may read what runs there no more than the sensor may. */
const MODE = 0o600;

export const BINARY_NAME = "inventory.binpb";
export const JSON_NAME = "inventory.ndjson";

/** Writes both files anew and puts each in the place of the one before when it is whole. */
export async function writeExport(inventory: Inventory, folder: string, nowMs: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const render = (entry: Parameters<Inventory["render"]>[0]) => inventory.render(entry);
  const parts = deltaOf(inventory.catalogue, { from: 0n, nowMs, seenSinceMs: nowMs - SEEN_SINCE_MS, render });
  await replace(join(folder, BINARY_NAME), parts, (delta) => sizeDelimitedEncode(InventoryDeltaSchema, delta));
  await replace(join(folder, JSON_NAME), parts, ({ items }) =>
    Buffer.from(items.map((item) => `${toJsonString(InventoryItemSchema, item)}\n`).join("")),
  );
}

/** A part at a time, so that facts do not wait for all of it. */
async function replace<Part>(path: string, parts: readonly Part[], encode: (part: Part) => Uint8Array): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, "w", MODE);
  try {
    for (const part of parts) await file.write(encode(part));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
