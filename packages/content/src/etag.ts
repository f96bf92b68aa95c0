// What tells one signed manifest from another.
import { createHash } from "node:crypto";
import type { SignedManifest } from "@nightjar/proto";

/** 64 hexadecimal digits. */
export function etagOf({ manifest, signature }: Pick<SignedManifest, "manifest" | "signature">): string {
  return createHash("sha256").update(signature).update(manifest).digest("hex");
}
