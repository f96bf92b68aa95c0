// Makes the parts of a bundle of a folder's files, and signs its manifest.
import { createHash, type KeyObject, sign } from "node:crypto";
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ContentManifest,
  ContentManifestSchema,
  type ContentPart,
  ContentPartSchema,
  type SignedManifest,
  SignedManifestSchema,
} from "@nightjar/proto";
import { signedBytes } from "./judge.ts";

/** The parts of a bundle that is made of a folder's files, by name. Throws what reading throws. */
export function packFolder(folder: string): ContentPart[] {
  return filesOf(folder, "")
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      const sha256 = createHash("sha256").update(bytes).digest();
      return create(ContentPartSchema, { name, size: BigInt(bytes.length), sha256 });
    });
}

/** Hidden files are the editor's or the version control's. */
function filesOf(folder: string, prefix: string): string[] {
  const entries: Dirent[] = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith("."))
    .flatMap((entry) => {
      const name = `${prefix}${entry.name}`;
      return entry.isDirectory() ? filesOf(join(folder, entry.name), `${name}/`) : [name];
    });
}

/** Signs a manifest as it is, right or wrong: whoever takes it judges it. */
export function signManifest(manifest: ContentManifest, privateKey: KeyObject): SignedManifest {
  const bytes = toBinary(ContentManifestSchema, manifest);
  const signature = sign(null, signedBytes(bytes), privateKey);
  return create(SignedManifestSchema, { manifest: bytes, signature: Uint8Array.from(signature) });
}
