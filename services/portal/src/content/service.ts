// Content over gRPC: sensors ask what is meant for them, operators publish and roll out.
import { create, fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { CONTENT_FORMAT, checkManifest, etagOf, isChannel, MANIFEST_BYTES_MAX, VERSION_MAX } from "@nightjar/content";
import {
  type ContentManifest,
  ContentManifestSchema,
  type ContentService,
  ListContentResponseSchema,
  PollContentResponseSchema,
  type PublishContentRequest,
  PublishContentResponseSchema,
  type PublishedContent,
  PublishedContentSchema,
  SetRolloutResponseSchema,
  type UploadPartRequest,
  UploadPartResponseSchema,
} from "@nightjar/proto";
import { type Clock, timestampOfNs } from "../clock.ts";
import type { Callers } from "../principal.ts";
import { asConnectError, refuse, type StoreFailure } from "../sensor-service.ts";
import type { Problem } from "../validate.ts";
import { CONTENT_PART_BYTES_MAX, CONTENT_PIECE_BYTES, ROLLOUT_PERCENT_MAX } from "./limits.ts";
import { chooseFor } from "./rollout.ts";
import type { ContentStore, Published } from "./store.ts";

const SHA256_BYTES = 32;
const NOT_MODIFIED = create(PollContentResponseSchema, { notModified: true });

/** Who may call what. */
export const contentCallers: Callers = {
  pollContent: ["sensor"],
  uploadPart: ["operator"],
  publishContent: ["operator"],
  listContent: ["operator"],
  setRollout: ["operator"],
};

export function contentService(
  store: ContentStore,
  clock: Clock,
  failed: StoreFailure,
): ServiceImpl<typeof ContentService> {
  const stored = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw asConnectError(error, failed);
    });
  return {
    async pollContent({ channel, version, etag, ...asking }) {
      refuse(isChannel(channel) ? undefined : "channel: no name of a channel");
      const chosen = chooseFor(asking, await stored(store.list(channel)));
      if (!chosen || chosen.etag === etag || chosen.version < version) return NOT_MODIFIED;
      const signedManifest = await stored(store.manifest(channel, chosen.version));
      if (!signedManifest) return NOT_MODIFIED;
      return create(PollContentResponseSchema, { etag: chosen.etag, signedManifest });
    },
    async uploadPart(request) {
      refuse(checkPiece(request));
      const { size, offset, bytes } = request;
      const piece = { sha256: hex(request.sha256), size, offset, bytes };
      return create(UploadPartResponseSchema, { complete: await stored(store.savePiece(piece, clock())) });
    },
    async publishContent(request) {
      const { manifest, problem } = readManifest(request);
      refuse(problem);
      const signed = request.signedManifest!;
      const etag = etagOf(signed);
      const { rolloutPercent } = request;
      const not = await stored(store.publish({ manifest: manifest!, signed, etag, rolloutPercent }, clock()));
      if (not && "newest" in not) {
        throw new ConnectError(
          `the channel has version ${not.newest} already; publish a later one`,
          Code.AlreadyExists,
        );
      }
      const missingSha256 = (not?.missing ?? []).map((digits) => Buffer.from(digits, "hex"));
      return create(PublishContentResponseSchema, { etag, missingSha256 });
    },
    async listContent() {
      const published = await stored(listed(store));
      return create(ListContentResponseSchema, { published });
    },
    async setRollout({ channel, version, rolloutPercent }) {
      refuse(checkPercent(rolloutPercent) ?? (version <= VERSION_MAX ? undefined : `version: up to ${VERSION_MAX}`));
      if (!(await stored(store.setRollout(channel, version, rolloutPercent)))) {
        throw new ConnectError(`the channel ${channel} has no version ${version}`, Code.NotFound);
      }
      return create(SetRolloutResponseSchema);
    },
  };
}

async function listed(store: ContentStore): Promise<PublishedContent[]> {
  const all: PublishedContent[] = [];
  for (const one of await store.list()) {
    const signed = await store.manifest(one.channel, one.version);
    if (signed) all.push(publishedContent(one, fromBinary(ContentManifestSchema, signed.manifest)));
  }
  return all;
}

function publishedContent({ etag, rolloutPercent, publishedAtNs }: Published, manifest: ContentManifest) {
  return create(PublishedContentSchema, { manifest, etag, rolloutPercent, publishedAt: timestampOfNs(publishedAtNs) });
}

/** Whether it is signed by the right key only the sensors know: the portal has no key, and need not be believed. */
function readManifest({ signedManifest, rolloutPercent }: PublishContentRequest): {
  manifest?: ContentManifest;
  problem?: Problem;
} {
  const wrong = checkPercent(rolloutPercent);
  if (wrong) return { problem: wrong };
  const bytes = signedManifest?.manifest ?? new Uint8Array();
  if (bytes.length === 0 || bytes.length > MANIFEST_BYTES_MAX) {
    return { problem: `signed_manifest: 1 to ${MANIFEST_BYTES_MAX} bytes, not ${bytes.length}` };
  }
  try {
    const manifest = fromBinary(ContentManifestSchema, bytes);
    const { format } = manifest;
    if (format !== CONTENT_FORMAT) return { problem: `format: ${CONTENT_FORMAT}, not ${format}` };
    return { manifest, problem: checkManifest(manifest) };
  } catch {
    return { problem: "signed_manifest: no ContentManifest" };
  }
}

function checkPercent(percent: number): Problem {
  if (percent <= ROLLOUT_PERCENT_MAX) return undefined;
  return `rollout_percent: 0 to ${ROLLOUT_PERCENT_MAX}, not ${percent}`;
}

function checkPiece({ sha256, size, offset, bytes }: UploadPartRequest): Problem {
  if (sha256.length !== SHA256_BYTES) return `sha256: ${SHA256_BYTES} bytes, not ${sha256.length}`;
  if (size > CONTENT_PART_BYTES_MAX) return `size: at most ${CONTENT_PART_BYTES_MAX} bytes, not ${size}`;
  if (offset % CONTENT_PIECE_BYTES !== 0n || (offset > 0n && offset >= size)) {
    return `offset: a multiple of ${CONTENT_PIECE_BYTES} below the size, not ${offset}`;
  }
  const due = Math.min(Number(size - offset), Number(CONTENT_PIECE_BYTES));
  return bytes.length === due ? undefined : `bytes: ${due} bytes from ${offset} on, not ${bytes.length}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
