// Reads a message of FACTS: a list of encoded batches, of which none is copied.
import { FieldCursor, WIRE_BYTES } from "@nightjar/events";
import { BatchListSchema } from "@nightjar/proto";

const BATCHES = BatchListSchema.field.batches.number;

/**
 * The encoded batches of an encoded BatchList, views on it.
 * @throws WireError where it is no message.
 */
export function readBatches(bytes: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = [];
  const cursor = new FieldCursor().enter(bytes, 0, bytes.length);
  while (cursor.next()) {
    if (cursor.number === BATCHES && cursor.wireType === WIRE_BYTES) batches.push(cursor.view());
  }
  return batches;
}
