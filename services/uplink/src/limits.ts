// Every limit of the uplink that is no setting, with its unit and what happens there.

/** Detections in one call; what is left follows in the next. */
export const SEND_DETECTIONS_MAX = 500;
/** Bytes of detections in one call, as long as one alone is not larger. */
export const SEND_BYTES_MAX = 1024 * 1024;
/** What an entry costs on disk beside its detection: keys, index, the log. */
export const ENTRY_OVERHEAD_BYTES = 128;
/** Entries that are deleted in one write when the outbox is full or detections are stale. */
export const DELETE_ENTRIES_MAX = 1_000;
/** Detections that the portal refused are kept aside, the latest of them. */
export const REFUSED_MAX = 1_000;
/** Batches from the bus under way to the outbox; they share one write to the disk. As many again may have been read. */
export const BUS_IN_FLIGHT_MAX = 16;

/** How often the outbox is looked through for what is stale. */
export const STALE_SWEEP_MS = 60_000;
/** How often the network is looked at while the portal is not reached, and how much of its routes. */
export const NETWORK_CHECK_MS = 1_000;
export const ROUTES_BYTES_MAX = 64 * 1024;
/** The outbox is no longer called full when it has fallen to this part of its limit. */
export const OUTBOX_RELIEVED = 0.9;
/** The same error is logged again only after this. */
export const SAME_ERROR_LOG_MS = 60_000;
/** At a first start the embedded portal takes some seconds to be there: until then it is no error. */
export const PORTAL_ABSENT_MS_MAX = 15_000;
/** Indicators in one look-up; half as many after a call that failed, since answers are limited in their size. */
export const LOOK_UP_INDICATORS_MAX = 500;
/** Messages of INDICATORS under way. */
export const INDICATORS_IN_FLIGHT_MAX = 8;
/** Bytes of verdicts in one message, as long as one alone is not larger. */
export const VERDICTS_BYTES_MAX = 256 * 1024;
/** How often what waits for the portal is looked through for what is stale. */
export const INDICATORS_SWEEP_MS = 60_000;
/** How often all that is remembered is looked through for what was not seen for long. */
export const INDICATORS_TRIM_MS = 60 * 60 * 1_000;
/** How often the file of the filter is looked at. */
export const FILTER_CHECK_MS = 10_000;
/** Of the file of the filter: 200 million indicators. A larger one is not read. */
export const FILTER_BYTES_MAX = 256 * 1024 * 1024;
/** How often the disk is told that the portal was heard. */
export const CONTACT_STEP_MS = 5 * 60 * 1_000;

/** How often the embedded portal's address is looked at. */
export const ADDRESS_CHECK_MS = 500;
/** A connection without an answer for this long is asked whether it lives. */
export const PING_INTERVAL_MS = 15_000;
export const PING_TIMEOUT_MS = 5_000;
/** Bytes of an answer from the portal. */
export const RESPONSE_BYTES_MAX = 1024 * 1024;
/** How long the rule engine may take to say whether it can load a bundle; then it is asked anew at the next look. */
export const CONTENT_TRY_MS_MAX = 120_000;
/** How soon a write that the disk refused is tried again. */
export const DISK_RETRY_MS = 1_000;
/** How long the last heartbeat of a sensor that is stopped may take. */
export const GOODBYE_MS_MAX = 1_000;
/** Files of extra authorities; a folder with more is refused, since it is hardly meant. */
export const AUTHORITY_FILES_MAX = 1_000;
/** What a command that tells the client secret may take and print; beyond, it is ended and there is no secret. */
export const SECRET_COMMAND_MS_MAX = 10_000;
export const SECRET_COMMAND_BYTES_MAX = 64 * 1024;
/** Bytes of an answer of the token endpoint; more are not read. */
export const TOKEN_ANSWER_BYTES_MAX = 64 * 1024;
/** Characters of what an answer says of a failure that are logged. */
export const ANSWER_SHOWN_CHARS = 500;
/** How soon a renewal of the access token that failed is tried again, as long as the old one is good. */
export const TOKEN_RENEW_RETRY_MS = 30_000;

/** POSTs of a webhook that are under way at once. */
export const WEBHOOK_PARALLEL_MAX = 8;
/** Bytes of an answer to an output; one that is longer is a failure. */
export const OUTPUT_ANSWER_BYTES_MAX = 64 * 1024;
/** A receiver that asks to be left alone for longer is tried again after this. */
export const OUTPUT_RETRY_AFTER_MS_MAX = 3_600_000;
