// What the portal keeps of content: parts by their digest, in pieces, and the manifests that use them.
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type ContentManifest, type SignedManifest, SignedManifestSchema } from "@nightjar/proto";
import { nsOfMs } from "../clock.ts";
import type { Database, Queries } from "../database.ts";
import { CONTENT_PIECE_BYTES, CONTENT_UNUSED_MS_MAX, CONTENT_VERSIONS_KEPT, ROLLOUT_PERCENT_MAX } from "./limits.ts";

export interface Piece {
  /** Hexadecimal digits, as everywhere here. */
  sha256: string;
  /** Of the whole part. */
  size: bigint;
  offset: bigint;
  bytes: Uint8Array;
}

/** A bundle as it is looked for, without its manifest. */
export interface Published {
  channel: string;
  version: bigint;
  etag: string;
  format: number;
  sensorVersionMin: string;
  rolloutPercent: number;
  publishedAtNs: bigint;
}

export interface Publication {
  manifest: ContentManifest;
  signed: SignedManifest;
  etag: string;
  rolloutPercent: number;
}

/** Why a bundle is not published: parts that are not there yet, or a version that the channel is beyond. */
export type Unpublished = { missing: string[] } | { newest: bigint };

export class ContentStore {
  readonly #database: Database;
  readonly #assertRoom: () => void;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  /** Stores a piece; returns whether the part is complete now. Pieces that make another digest are thrown away. */
  async savePiece({ sha256, size, offset, bytes }: Piece, nowMs: number): Promise<boolean> {
    this.#assertRoom();
    return await this.#database.transaction(async (queries) => {
      const [part] = await queries.query<{ complete: boolean }>(
        `INSERT INTO content_parts AS known (sha256, size, complete, touched_at_ns) VALUES ($1, $2, false, $3)
         ON CONFLICT (sha256) DO UPDATE SET touched_at_ns = excluded.touched_at_ns,
           size = CASE WHEN known.complete THEN known.size ELSE excluded.size END
         RETURNING complete`,
        [sha256, size, nsOfMs(nowMs)],
      );
      if (part!.complete) return true;
      await queries.query(
        `INSERT INTO content_pieces (sha256, place, bytes) VALUES ($1, $2, $3)
         ON CONFLICT (sha256, place) DO UPDATE SET bytes = excluded.bytes`,
        [sha256, offset, bytes],
      );
      return await complete(queries, sha256, size);
    });
  }

  /** Undefined where the part is not there, or not whole. */
  async sizeOf(sha256: string): Promise<bigint | undefined> {
    const [row] = await this.#database.query<{ size: bigint }>(
      "SELECT size FROM content_parts WHERE sha256 = $1 AND complete",
      [sha256],
    );
    return row && BigInt(row.size);
  }

  /** The bytes of a whole part from `first` to `last`, both included, a piece at a time. */
  async *bytesOf(sha256: string, first: bigint, last: bigint): AsyncGenerator<Uint8Array> {
    for (let place = first - (first % CONTENT_PIECE_BYTES); place <= last; place += CONTENT_PIECE_BYTES) {
      const [row] = await this.#database.query<{ bytes: Uint8Array }>(
        "SELECT bytes FROM content_pieces WHERE sha256 = $1 AND place = $2",
        [sha256, place],
      );
      // Swept in the middle of a download: the reader finds it cut short and asks again.
      if (!row) return;
      const from = Number(first > place ? first - place : 0n);
      yield row.bytes.subarray(from, Number(last - place) + 1);
    }
  }

  /** Publishes a bundle whose parts are all there; the same once more changes nothing but the roll-out. */
  async publish(
    { manifest, signed, etag, rolloutPercent }: Publication,
    nowMs: number,
  ): Promise<Unpublished | undefined> {
    this.#assertRoom();
    const { channel, version, format, sensorVersionMin, parts } = manifest;
    const digests = [...new Set(parts.map((part) => Buffer.from(part.sha256).toString("hex")))];
    return await this.#database.transaction(async (queries) => {
      const there = await queries.query<{ sha256: string }>(
        "UPDATE content_parts SET touched_at_ns = $2 WHERE sha256 = ANY($1::text[]) AND complete RETURNING sha256",
        [digests, nsOfMs(nowMs)],
      );
      const known = new Set(there.map(({ sha256 }) => sha256));
      const missing = digests.filter((digest) => !known.has(digest));
      if (missing.length > 0) return { missing };
      const [newest] = await queries.query<{ version: bigint; etag: string }>(
        "SELECT version, etag FROM content WHERE channel = $1 ORDER BY version DESC LIMIT 1",
        [channel],
      );
      if (newest && BigInt(newest.version) >= version && newest.etag !== etag)
        return { newest: BigInt(newest.version) };
      // Of two portals that publish the same version at once, the second finds it taken.
      const rows = await queries.query(
        `INSERT INTO content AS known (channel, version, etag, format, sensor_version_min, rollout_percent,
           published_at_ns, manifest, signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (channel, version) DO UPDATE SET rollout_percent = excluded.rollout_percent
         WHERE known.etag = excluded.etag RETURNING version`,
        [channel, version, etag, format, sensorVersionMin, rolloutPercent, nsOfMs(nowMs), ...bytesOf(signed)],
      );
      if (rows.length === 0) return { newest: version };
      await queries.query(
        `INSERT INTO content_uses (channel, version, sha256) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING`,
        [channel, version, digests],
      );
      return undefined;
    });
  }

  /** What is published on a channel, or on all; the newest first. */
  async list(channel?: string): Promise<Published[]> {
    const rows = await this.#database.query<PublishedRow>(
      `SELECT channel, version, etag, format, sensor_version_min, rollout_percent, published_at_ns FROM content
       WHERE $1::text IS NULL OR channel = $1 ORDER BY channel, version DESC`,
      [channel ?? null],
    );
    return rows.map((row) => ({
      channel: row.channel,
      version: BigInt(row.version),
      etag: row.etag,
      format: row.format,
      sensorVersionMin: row.sensor_version_min,
      rolloutPercent: row.rollout_percent,
      publishedAtNs: BigInt(row.published_at_ns),
    }));
  }

  /** The signed manifest; undefined where there is none, or none any more. */
  async manifest(channel: string, version: bigint): Promise<SignedManifest | undefined> {
    const [row] = await this.#database.query<{ manifest: Uint8Array; signature: Uint8Array }>(
      "SELECT manifest, signature FROM content WHERE channel = $1 AND version = $2",
      [channel, version],
    );
    return row && create(SignedManifestSchema, row);
  }

  /** False where the channel has no such version. */
  async setRollout(channel: string, version: bigint, percent: number): Promise<boolean> {
    const rows = await this.#database.query(
      "UPDATE content SET rollout_percent = $3 WHERE channel = $1 AND version = $2 RETURNING version",
      [channel, version, percent],
    );
    return rows.length > 0;
  }

  /** Forgets what no sensor is given any more, and parts that nothing has used for a day. */
  async sweep(nowMs: number): Promise<void> {
    await this.#database.query(
      `DELETE FROM content WHERE (channel, version) IN (
         SELECT channel, version FROM (
           SELECT channel, version, row_number() OVER newest_first AS place,
             coalesce(max(rollout_percent) OVER (newest_first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
               AS later_percent
           FROM content WINDOW newest_first AS (PARTITION BY channel ORDER BY version DESC)) AS aged
         WHERE place > $1 AND later_percent = $2)`,
      [CONTENT_VERSIONS_KEPT, ROLLOUT_PERCENT_MAX],
    );
    const gone = await this.#database.query(
      `DELETE FROM content_parts AS part WHERE touched_at_ns < $1
         AND NOT EXISTS (SELECT 1 FROM content_uses WHERE sha256 = part.sha256) RETURNING sha256`,
      [nsOfMs(nowMs - CONTENT_UNUSED_MS_MAX)],
    );
    if (gone.length > 0) await this.#database.vacuum("content_pieces");
  }
}

interface PublishedRow extends Record<string, unknown> {
  channel: string;
  version: bigint;
  etag: string;
  format: number;
  sensor_version_min: string;
  rollout_percent: number;
  published_at_ns: bigint;
}

function bytesOf({ manifest, signature }: SignedManifest): Uint8Array[] {
  return [manifest, signature];
}

/** Marks a part as whole where all its pieces are there and are what its digest says. */
async function complete(queries: Queries, sha256: string, size: bigint): Promise<boolean> {
  const [sum] = await queries.query<{ bytes: bigint }>(
    "SELECT coalesce(sum(length(bytes)), 0)::bigint AS bytes FROM content_pieces WHERE sha256 = $1",
    [sha256],
  );
  if (BigInt(sum!.bytes) < size) return false;
  const hash = createHash("sha256");
  for (let place = 0n; place === 0n || place < size; place += CONTENT_PIECE_BYTES) {
    const [row] = await queries.query<{ bytes: Uint8Array }>(
      "SELECT bytes FROM content_pieces WHERE sha256 = $1 AND place = $2",
      [sha256, place],
    );
    if (row) hash.update(row.bytes);
  }
  const isRight = BigInt(sum!.bytes) === size && hash.digest("hex") === sha256;
  if (isRight) await queries.query("UPDATE content_parts SET complete = true WHERE sha256 = $1", [sha256]);
  else await queries.query("DELETE FROM content_pieces WHERE sha256 = $1", [sha256]);
  return isRight;
}
