// What makes an item of the inventory this one and no other: a number that is the same for the same thing, always.
import { hash } from "node:crypto";
import type { InventoryItem } from "@nightjar/proto";

/** The kinds of items, as the members of InventoryItem.what are called. */
export type ItemKind = NonNullable<InventoryItem["what"]["case"]>;

/** 64 bits: among 200,000 items two have the same once in a billion hosts. */
export type ItemId = bigint;

/** Texts have a character for each byte ("latin1"), so that paths that are no UTF-8 stay apart. */
export function itemId(kind: ItemKind, ...parts: readonly (string | number | bigint)[]): ItemId {
  const text = [kind, ...parts].join("\0");
  return hash("sha256", Buffer.from(text, "latin1"), "buffer").readBigUInt64BE(0);
}

/** Bytes as such a text. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** And back. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** An id as keys of the database and the command line have it. */
export function hexOf(id: ItemId): string {
  return id.toString(16).padStart(16, "0");
}
