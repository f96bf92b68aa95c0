// Every limit of the portal's content, with its unit and what happens there.

/** Bytes of a piece in which a part is stored and uploaded; all but the last have exactly so many. */
export const CONTENT_PIECE_BYTES = 256n * 1024n;
/** Versions kept on a channel, and all later ones than the newest that everybody is given. */
export const CONTENT_VERSIONS_KEPT = 10;
/** A part that no published bundle uses is deleted so long after it was uploaded. */
export const CONTENT_UNUSED_MS_MAX = 24 * 60 * 60 * 1_000;
export const ROLLOUT_PERCENT_MAX = 100;
/** Bytes of a part: as much as any may have in a bundle; a larger one is refused with invalid_argument. */
export const CONTENT_PART_BYTES_MAX = 256n * 1024n * 1024n;
/** Downloads under way; a further one is answered 503 and tried again. */
export const DOWNLOADS_MAX = 64;
/** When to try again, in seconds. */
export const DOWNLOAD_RETRY_AFTER_S = 5;
