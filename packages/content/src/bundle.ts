// A bundle as it lies on disk: its signed manifest beside its parts, each read only for what its digest says.
import { createHash, type KeyObject } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type ContentManifest, type ContentPart, SignedManifestSchema } from "@nightjar/proto";
import type { ContentCode, ContentProblem } from "./codes.ts";
import { etagOf } from "./etag.ts";
import { verifySignature } from "./judge.ts";

export { etagOf } from "./etag.ts";

export interface Bundle {
  folder: string;
  manifest: ContentManifest;
  etag: string;
}

/** The files of a bundle in its folder: the signed manifest, and the folder of the parts, so that neither meets. */
export const bundleFiles = {
  manifest: (folder: string) => join(folder, "manifest.bin"),
  parts: (folder: string) => join(folder, "parts"),
};

/** Where a part of a checked manifest lies. */
export function partPath(folder: string, name: string): string {
  return join(bundleFiles.parts(folder), name);
}

/**
 * Reads the manifest of a bundle on disk. Whoever has the public key and is to act by a bundle opens it himself: what
 * the stage that talks to the network says of it need not be believed.
 */
export function openBundle(folder: string, publicKeys: readonly KeyObject[]): Bundle | ContentProblem {
  try {
    const signed = fromBinary(SignedManifestSchema, readFileSync(bundleFiles.manifest(folder)));
    const verdict = verifySignature(signed, publicKeys);
    return verdict.ok ? { folder, manifest: verdict.manifest, etag: etagOf(signed) } : verdict.problem;
  } catch (error) {
    return unusable("CONTENT_UNREADABLE", `${folder}: ${(error as Error).message}`);
  }
}

/** Reads a part. What is returned is what was signed: it is compared after it was read. */
export function readPart({ folder }: Bundle, { name, size, sha256 }: ContentPart): Buffer | ContentProblem {
  let bytes: Buffer | undefined;
  try {
    bytes = readIfOfSize(partPath(folder, name), size);
  } catch (error) {
    return unusable("CONTENT_UNREADABLE", `${name}: ${(error as Error).message}`);
  }
  if (bytes && createHash("sha256").update(bytes).digest().equals(sha256)) return bytes;
  return unusable("CONTENT_TAMPERED", `${name} is not what was signed`);
}

/** Undefined where it is no file of that size: a link is not followed, a FIFO not waited for, a giant not read. */
function readIfOfSize(path: string, size: bigint): Buffer | undefined {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor, { bigint: true });
    return found.isFile() && found.size === size ? readFileSync(descriptor) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function unusable(code: ContentCode, message: string): ContentProblem {
  return { code, message };
}
