// The store's shape, in numbered steps; a database remembers which it has taken.
import type { Database, Queries } from "./database.ts";

/** Step N is at index N - 1. A step that was released is never changed; a new one is added. */
export const migrations: readonly (readonly string[])[] = [
  [
    // The last cursor given. Its row's lock makes cursors be committed in their order, with several portals too, so
    // that no reader passes over one that comes late.
    "CREATE TABLE last_cursor (value bigint NOT NULL)",
    "INSERT INTO last_cursor VALUES (0)",
    `CREATE TABLE detections (
      sensor_id text NOT NULL,
      id text NOT NULL,
      revision bigint NOT NULL,
      cursor bigint NOT NULL UNIQUE,
      deliveries bigint NOT NULL,
      host_name text NOT NULL,
      rule text NOT NULL,
      priority smallint NOT NULL,
      happened_at_ns bigint NOT NULL,
      received_at_ns bigint NOT NULL,
      detection bytea NOT NULL,
      PRIMARY KEY (sensor_id, id)
    )`,
    "CREATE INDEX detections_received ON detections (received_at_ns)",
    "CREATE INDEX detections_happened ON detections (happened_at_ns)",
    `CREATE TABLE sensors (
      id text PRIMARY KEY,
      first_seen_ns bigint NOT NULL,
      last_seen_ns bigint NOT NULL,
      heartbeat bytea NOT NULL
    )`,
  ],
  [
    // A person gives the first digits of an id: the key finds them, and each detection has no further index to fill.
    `ALTER TABLE detections ALTER COLUMN id TYPE text COLLATE "C"`,
    "ALTER TABLE detections DROP CONSTRAINT detections_pkey, ADD PRIMARY KEY (id, sensor_id)",
  ],
  [
    `CREATE TABLE accounts (
      id text PRIMARY KEY,
      name text NOT NULL UNIQUE,
      type text NOT NULL,
      created_at_ns bigint NOT NULL,
      revoked_at_ns bigint
    )`,
    `CREATE TABLE account_secrets (
      id text PRIMARY KEY,
      account_id text NOT NULL REFERENCES accounts,
      hash text NOT NULL,
      created_at_ns bigint NOT NULL,
      expires_at_ns bigint
    )`,
    "CREATE INDEX account_secrets_of ON account_secrets (account_id)",
    `CREATE TABLE account_actions (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      happened_at_ns bigint NOT NULL,
      actor text NOT NULL,
      action text NOT NULL,
      account_id text NOT NULL,
      account_name text NOT NULL,
      detail text NOT NULL
    )`,
    // What access tokens are signed with: the same for all processes on this database.
    "CREATE TABLE token_keys (id integer PRIMARY KEY, key bytea NOT NULL)",
  ],
  [
    "CREATE TABLE last_health_cursor (value bigint NOT NULL)",
    "INSERT INTO last_health_cursor VALUES (0)",
    `CREATE TABLE health_issues (
      sensor_id text NOT NULL,
      id text NOT NULL,
      revision bigint NOT NULL,
      cursor bigint NOT NULL UNIQUE,
      host_name text NOT NULL,
      resolved_at_ns bigint,
      received_at_ns bigint NOT NULL,
      issue bytea NOT NULL,
      PRIMARY KEY (sensor_id, id)
    )`,
    "CREATE INDEX health_issues_open ON health_issues (received_at_ns) WHERE resolved_at_ns IS NULL",
    "CREATE INDEX health_issues_resolved ON health_issues (resolved_at_ns)",
    `CREATE TABLE outages (
      sensor_id text NOT NULL,
      from_ns bigint NOT NULL,
      until_ns bigint NOT NULL,
      host_name text NOT NULL,
      was_stopped boolean NOT NULL,
      report bytea NOT NULL,
      PRIMARY KEY (sensor_id, from_ns)
    )`,
    "CREATE INDEX outages_until ON outages (until_ns)",
    // Of sensors that were known before it is not known when they were to be heard again.
    `ALTER TABLE sensors ADD COLUMN silent_after_ns bigint NOT NULL DEFAULT 9223372036854775807,
       ADD COLUMN is_stopping boolean NOT NULL DEFAULT false`,
  ],
  [
    // The value first: look-ups have nothing else. Its end is a column of its own, the rest is in the verdict.
    `CREATE TABLE indicators (
      value text COLLATE "C" NOT NULL,
      kind smallint NOT NULL,
      source text COLLATE "C" NOT NULL,
      expires_at_ns bigint,
      import_id text NOT NULL,
      imported_at_ns bigint NOT NULL,
      verdict bytea NOT NULL,
      PRIMARY KEY (value, kind, source)
    )`,
    // Without the value, a list of 100,000 would be read whole for each request that imports some of it.
    "CREATE INDEX indicators_source ON indicators (source, value, kind)",
    "CREATE INDEX indicators_expire ON indicators (expires_at_ns) WHERE expires_at_ns IS NOT NULL",
    "CREATE TABLE indicator_changes (generation bigint NOT NULL, hash bigint NOT NULL)",
    "CREATE INDEX indicator_changes_generation ON indicator_changes (generation)",
    // One row, whose lock makes generations be committed in their order.
    `CREATE TABLE intel_state (
      generation bigint NOT NULL,
      changes_from bigint NOT NULL,
      indicators bigint NOT NULL
    )`,
    "INSERT INTO intel_state VALUES (0, 0, 0)",
  ],
  [
    // When the sensor was answered last before an outage: who tells since then again tells of the same one.
    "ALTER TABLE outages ADD COLUMN since_ns bigint",
  ],
  [
    // Of the last heartbeat: the next one from another moment on, and in time, is nothing but the next.
    "ALTER TABLE sensors ADD COLUMN since_ns bigint",
  ],
  [
    `CREATE TABLE content_parts (
      sha256 text PRIMARY KEY,
      size bigint NOT NULL,
      complete boolean NOT NULL,
      touched_at_ns bigint NOT NULL
    )`,
    `CREATE TABLE content_pieces (
      sha256 text NOT NULL REFERENCES content_parts ON DELETE CASCADE,
      place bigint NOT NULL,
      bytes bytea NOT NULL,
      PRIMARY KEY (sha256, place)
    )`,
    // What is looked at for each poll stands beside the manifest, which is not.
    `CREATE TABLE content (
      channel text NOT NULL,
      version bigint NOT NULL,
      etag text NOT NULL,
      format integer NOT NULL,
      sensor_version_min text NOT NULL,
      rollout_percent smallint NOT NULL,
      published_at_ns bigint NOT NULL,
      manifest bytea NOT NULL,
      signature bytea NOT NULL,
      PRIMARY KEY (channel, version)
    )`,
    `CREATE TABLE content_uses (
      channel text NOT NULL,
      version bigint NOT NULL,
      sha256 text NOT NULL REFERENCES content_parts,
      PRIMARY KEY (sha256, channel, version),
      FOREIGN KEY (channel, version) REFERENCES content ON DELETE CASCADE
    )`,
    "CREATE INDEX content_uses_by_bundle ON content_uses (channel, version)",
  ],
  [
    `CREATE TABLE advisories (
      source text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      import_id text NOT NULL,
      imported_at_ns bigint NOT NULL,
      advisory bytea NOT NULL,
      PRIMARY KEY (source, id)
    )`,
    // The name first: packages of one host are asked for together, and are of few ecosystems.
    `CREATE TABLE advisory_packages (
      name text COLLATE "C" NOT NULL,
      ecosystem text COLLATE "C" NOT NULL,
      source text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      PRIMARY KEY (name, ecosystem, source, id),
      FOREIGN KEY (source, id) REFERENCES advisories ON DELETE CASCADE
    )`,
    "CREATE INDEX advisory_packages_of ON advisory_packages (source, id)",
    // What a list is sorted by stands beside the finding.
    `CREATE TABLE findings (
      sensor_id text NOT NULL,
      id text NOT NULL,
      state smallint NOT NULL,
      rank integer NOT NULL,
      closed_at_ns bigint,
      names text[] NOT NULL,
      finding bytea NOT NULL,
      PRIMARY KEY (sensor_id, id)
    )`,
    "CREATE INDEX findings_by_rank ON findings ((-rank), id, sensor_id) WHERE closed_at_ns IS NULL",
    // Of which state of a sensor's inventory and of the advisories its findings are.
    `CREATE TABLE findings_made (
      sensor_id text PRIMARY KEY,
      epoch text NOT NULL,
      revision bigint NOT NULL,
      generation bigint NOT NULL
    )`,
    "CREATE TABLE advisory_state (generation bigint NOT NULL, advisories bigint NOT NULL)",
    "INSERT INTO advisory_state VALUES (0, 0)",
  ],
  [
    `CREATE TABLE inventories (
      sensor_id text PRIMARY KEY,
      epoch text NOT NULL DEFAULT '',
      revision bigint NOT NULL DEFAULT 0,
      coming_epoch text NOT NULL DEFAULT '',
      coming_from bigint NOT NULL DEFAULT 0,
      coming_to bigint NOT NULL DEFAULT 0,
      coming_part integer NOT NULL DEFAULT 0
    )`,
    `CREATE TABLE inventory_items (
      sensor_id text NOT NULL,
      id text COLLATE "C" NOT NULL,
      kind smallint NOT NULL,
      epoch text NOT NULL,
      revision bigint NOT NULL,
      told_to bigint NOT NULL,
      item bytea NOT NULL,
      PRIMARY KEY (sensor_id, id)
    )`,
  ],
];

/** Of all advisory locks of a database, the one that portals take while they change its shape. */
const MIGRATION_LOCK = 5_644_712;

/**
 * Takes the steps the database has not taken, each in a transaction; of several portals that start together each step
 * is taken by one. Throws when the database is newer than we are.
 */
export async function migrate(database: Database): Promise<void> {
  while (await database.transaction(takeStep));
}

/** Whether there was a step to take. */
async function takeStep(queries: Queries): Promise<boolean> {
  await queries.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
  await queries.query("CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY)");
  const rows = await queries.query<{ taken: number }>(
    "SELECT coalesce(max(number), 0) AS taken FROM schema_migrations",
  );
  const taken = Number(rows[0]!.taken);
  if (taken > migrations.length) {
    throw new Error(`the store has step ${taken}, this version knows ${migrations.length}: it was made by a newer one`);
  }
  const statements = migrations[taken];
  if (!statements) return false;
  for (const statement of statements) await queries.query(statement);
  await queries.query("INSERT INTO schema_migrations VALUES ($1)", [taken + 1]);
  return true;
}
