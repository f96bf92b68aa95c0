// Encoded batches of events, read lazily; recordings of them; and sets of ranges, which make stages idempotent.
export { formatAddress } from "./address.ts";
export * from "./batch-reader.ts";
export * from "./errors.ts";
export * from "./evidence.ts";
export * from "./interest.ts";
export * from "./ranges.ts";
export * from "./recording.ts";
export * from "./source-id.ts";
export * from "./wire.ts";
