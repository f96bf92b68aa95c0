// The number that stands for an indicator where its text would be too long: in filters, changes and caches.
import { hash } from "node:crypto";
import type { Indicator } from "@nightjar/proto";

/** The first 64 bits of the SHA-256 of kind and value. Two indicators may share one, so it proves nothing alone. */
export function hashOf({ kind, value }: Indicator): bigint {
  return hash("sha256", `${kind}:${value}`, "buffer").readBigUInt64BE(0);
}
