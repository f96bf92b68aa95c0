// Whether a host may take a manifest: signed by its key, made for it, and newer than what it has.
import { type KeyObject, verify } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { type ContentManifest, ContentManifestSchema, type SignedManifest } from "@nightjar/proto";
import type { ContentCode, ContentProblem } from "./codes.ts";
import { etagOf } from "./etag.ts";
import { CONTENT_FORMAT, checkManifest, MANIFEST_BYTES_MAX } from "./manifest.ts";

/** Said before what is signed, so that a signature for something else is none for content. */
const SIGNED_AS = new TextEncoder().encode("nightjar content manifest\n");

/** What a host goes by. */
export interface Held {
  publicKeys: readonly KeyObject[];
  channel: string;
  sensorVersion: string;
  /** What it took last, whether that is in force or not; undefined before anything. */
  latest: { version: bigint; etag: string } | undefined;
}

export type Verdict = { ok: true; manifest: ContentManifest } | { ok: false; problem: ContentProblem };

/** The bytes that are signed in a manifest's place. */
export function signedBytes(manifest: Uint8Array): Uint8Array {
  return Buffer.concat([SIGNED_AS, manifest]);
}

/** Judges a manifest. Nothing of it is so much as decoded before its signature is known to be right. */
export function judgeContent(signed: SignedManifest, held: Held): Verdict {
  const verdict = verifySignature(signed, held.publicKeys);
  if (!verdict.ok) return verdict;
  const { manifest } = verdict;
  const { channel, sensorVersionMin, version } = manifest;
  if (channel !== held.channel) {
    return refused(
      "CONTENT_OTHER_CHANNEL",
      `the content is for the channel ${channel}, this host's is ${held.channel}`,
    );
  }
  if (!suits(sensorVersionMin, held.sensorVersion)) {
    const asked = `content ${version} asks for version ${sensorVersionMin} of the sensor`;
    return refused("CONTENT_OTHER_SENSOR", `${asked}, this is ${held.sensorVersion}`);
  }
  const { latest } = held;
  if (latest && (version < latest.version || (version === latest.version && etagOf(signed) !== latest.etag))) {
    return refused("CONTENT_OLDER", `content ${version} is not newer than ${latest.version}, which this host has`);
  }
  return verdict;
}

/** Decodes a manifest that one of the keys has signed, and that is as a manifest of this version has to be. */
export function verifySignature(signed: SignedManifest, publicKeys: readonly KeyObject[]): Verdict {
  if (publicKeys.length === 0) {
    return refused("CONTENT_NO_KEY", "this host has no key to check content with");
  }
  const bytes = signed.manifest;
  const isSigned = bytes.length <= MANIFEST_BYTES_MAX && publicKeys.some((key) => isSignedBy(signed, key));
  if (!isSigned) return refused("CONTENT_UNSIGNED", "the content is not signed by a key of this host");
  let manifest: ContentManifest;
  try {
    manifest = fromBinary(ContentManifestSchema, bytes);
  } catch (error) {
    return refused("CONTENT_MALFORMED", `the signed manifest cannot be decoded: ${(error as Error).message}`);
  }
  if (manifest.format !== CONTENT_FORMAT) {
    const taken = `this sensor takes format ${CONTENT_FORMAT}`;
    return refused("CONTENT_OTHER_FORMAT", `the content is of format ${manifest.format}, ${taken}`);
  }
  const problem = checkManifest(manifest);
  return problem ? refused("CONTENT_MALFORMED", problem) : { ok: true, manifest };
}

/** `null` is what Node asks for where the algorithm follows from the key. */
function isSignedBy({ manifest, signature }: SignedManifest, key: KeyObject): boolean {
  return verify(null, signedBytes(manifest), key, signature);
}

/** Whether a sensor is of that version or later; both are three numbers, and "" is before all. */
export function suits(sensorVersionMin: string, sensorVersion: string): boolean {
  const [asked, own] = [sensorVersionMin, sensorVersion].map((one) =>
    one.split(".").map((part) => Number.parseInt(part, 10) || 0),
  ) as [number[], number[]];
  const at = asked.findIndex((number, index) => number !== (own[index] ?? 0));
  return at < 0 || (own[at] ?? 0) > asked[at]!;
}

function refused(code: ContentCode, message: string): Verdict {
  return { ok: false, problem: { code, message } };
}
