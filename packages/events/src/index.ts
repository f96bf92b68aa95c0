// Encoded batches of events: read lazily, append to, split; and the sets of position ranges that make stages idempotent.
export * from "./batch-reader.ts";
export * from "./ranges.ts";
export * from "./recording.ts";
export * from "./wire.ts";
