// Every limit of the portal, with its unit and what happens there.

/** Detections in one SendDetections; more are refused with invalid_argument. */
export const DETECTIONS_PER_REQUEST_MAX = 1_000;
/** Bytes of one request; more are refused with resource_exhausted before they are read. */
export const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes of one encoded detection; a larger one is refused with invalid_argument. */
export const DETECTION_BYTES_MAX = 1024 * 1024;
export const RULE_CHARS_MAX = 1_024;
export const OUTPUT_CHARS_MAX = 64 * 1024;
export const TAGS_MAX = 256;
export const TAG_CHARS_MAX = 256;
export const PROCESSES_MAX = 512;
export const SAMPLES_MAX = 64;
/** Of host names, kernel releases and the like. */
export const FACT_CHARS_MAX = 256;
export const STAGES_MAX = 64;
/** Settings and blind spells in one heartbeat; more are refused with invalid_argument. */
export const SETTINGS_MAX = 512;
export const BLIND_SPELLS_MAX = 64;
export const HEARTBEAT_BYTES_MAX = 1024 * 1024;
export const HEARTBEAT_INTERVAL_S_MAX = 24 * 60 * 60;
/** Times from 1970 to the year 2262, where nanoseconds leave a signed 64-bit number. */
export const TIME_SECONDS_MAX = 9_223_372_036n;

/** Health issues in one ReportHealth, and ids of others that are open; more are refused with invalid_argument. */
export const ISSUES_PER_REQUEST_MAX = 200;
export const OPEN_IDS_MAX = 2_000;
export const ISSUE_MESSAGE_CHARS_MAX = 4_096;
/** What is open of a sensor that is silent for so long is ended: nobody would ever say that it is over. */
export const SILENT_SENSOR_ISSUES_MS = 24 * 60 * 60 * 1_000;

/** Indicators in one LookUp; more are refused with invalid_argument. */
export const INDICATORS_PER_LOOK_UP_MAX = 1_000;
/** Verdicts in one ImportIndicators; more are refused with invalid_argument. */
export const INDICATORS_PER_IMPORT_MAX = 5_000;
export const INDICATOR_DESCRIPTION_CHARS_MAX = 1_024;
export const INDICATOR_LABELS_MAX = 64;
/** Indicators of all lists; a further one is refused with resource_exhausted. */
export const INDICATORS_MAX = 10_000_000;
/** Changes told singly, the latest; who asks for earlier ones is told that any verdict may be another one. */
export const CHANGES_KEPT = 20_000;
/** How old the counter of changes in a heartbeat's answer may be. */
export const GENERATION_AGE_MS = 1_000;
/** Hashes in one answer to ListHashes: 320 KB. */
export const HASHES_PAGE = 40_000;

/** Advisories in one ImportAdvisories; more are refused with invalid_argument. */
export const ADVISORIES_PER_IMPORT_MAX = 1_000;
export const ADVISORY_AFFECTED_MAX = 500;
/** Of ids, versions, names; a longer one is refused with invalid_argument. */
export const ADVISORY_TEXT_CHARS_MAX = 512;
/** Advisories of all sources; a further one is refused with resource_exhausted. */
export const ADVISORIES_MAX = 2_000_000;

/** How often it is looked whether findings are to be made anew. */
export const JUDGE_INTERVAL_MS = 2_000;
/** How long none is made after the store refused one, as on a full disk. */
export const JUDGE_PAUSE_MS = 30_000;

/** Sensors known to one portal; a further one is refused with resource_exhausted. */
export const SENSORS_MAX = 100_000;
/** Detections that wait to be stored; beyond, requests are answered unavailable and tried again by the sensor. */
export const INTAKE_PENDING_MAX = 10_000;
export const INTAKE_PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** Detections in one transaction; one request is never divided. */
export const INTAKE_BATCH_MAX = 1_000;
export const INTAKE_BATCH_BYTES_MAX = 8 * 1024 * 1024;
/**
 * Free disk below which nothing is stored, and the portal does not start: what the largest transaction may take, with
 * a segment of the write-ahead log (16 MiB) made ahead. Requests are answered unavailable and tried again.
 */
export const FREE_BYTES_MIN = 96 * 1024 * 1024;

/** How long a PostgreSQL server may take to accept a connection, and for one statement. */
export const DATABASE_CONNECT_MS = 10_000;
export const DATABASE_STATEMENT_MS = 30_000;
/** After the connection broke on which other portals are heard, how long until it is made anew. */
export const DATABASE_RELISTEN_MS = 1_000;

/** Rows in one statement; PostgreSQL takes 65,535 values in one. */
export const UPSERT_ROWS = 100;

export const PAGE_DEFAULT = 100;
/** Detections in one answer to ListDetections; a larger `limit` is refused with invalid_argument. */
export const PAGE_MAX = 1_000;
/** Bytes of detections after which a page ends early, with `more` set. */
export const PAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Rows fetched from the store at once: what one slow reader of a stream can hold in memory. */
export const FETCH_ROWS = 50;
/** How often the reader of a stream looks for what another portal on the same database has stored. */
export const FOLLOW_LOOK_MS = 1_000;
/** Open streams; a further one is refused with resource_exhausted. */
export const STREAMS_MAX = 100;

/** A sensor is silent when this many heartbeats are missing, */
export const SILENT_AFTER_HEARTBEATS = 2;
/** and this long has passed beyond, for the way through the network. */
export const SILENT_GRACE_MS = 1_000;

/** Rows deleted in one transaction when their time is over. */
export const SWEEP_ROWS = 1_000;
export const SWEEP_INTERVAL_MS = 60 * 60 * 1_000;
/** PostgreSQL in one process makes no checkpoints by itself: without ours its log would grow until the next start. */
export const CHECKPOINT_INTERVAL_MS = 30_000;
export const CHECKPOINT_LOG_BYTES = 16 * 1024 * 1024;

/** How often the main thread must turn to be left alone, and how long it may not: then the process is ended. */
export const WATCHDOG_INTERVAL_MS = 5_000;
export const WATCHDOG_STALLED_MS = 60_000;

/** How long open calls may take to end when the portal stops. */
export const STOP_GRACE_MS = 1_000;

/** Service accounts, revoked ones too; a further one is refused with resource_exhausted. */
export const ACCOUNTS_MAX = 10_000;
/** How long a secret may stay valid after it was replaced; a longer time is refused with invalid_argument. */
export const SECRET_KEPT_DAYS_MAX = 90;
/**
 * Hashes of secrets made at once, 16 MiB and about 50 ms of a thread each, and those that wait; beyond, the token
 * endpoint answers 503 with Retry-After.
 */
export const HASHES_AT_ONCE = 2;
export const HASHES_WAITING_MAX = 200;
export const TOKEN_RETRY_AFTER_S = 5;
/** Bytes of a request for a token; more are refused. */
export const TOKEN_REQUEST_BYTES_MAX = 8 * 1024;
/** How long a process goes by what it knows of an account: so long its tokens outlive it elsewhere. */
export const ACCOUNT_KNOWN_MS = 2_000;
/** Accounts that a process knows of at once; at more it forgets all and asks again. */
export const ACCOUNTS_KNOWN_MAX = 10_000;
/** Entries of the accounts' audit in one answer. */
export const ACCOUNT_ACTIONS_MAX = 1_000;
