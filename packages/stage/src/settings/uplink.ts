// The settings of the uplink: where the portal is, how patiently it is tried, how much waits for it.
import { integer, number, path, type SettingTable, text } from "../setting.ts";

const MIB = 1024 * 1024;

export const uplinkSettings = {
  portal_url: text({
    default: "",
    doc:
      "The portal's address, such as https://portal.example.org:8443. Empty means the embedded portal " +
      "of this state folder.",
  }),
  portal_certificate_file: path({
    default: "",
    doc:
      "PEM file with the certificates the portal's is checked against. Empty means the embedded " +
      "portal's own, or, with a portal_url, the system's authorities.",
  }),
  portal_token_file: path({
    default: "",
    doc:
      "File with an access token of the portal. Empty means client credentials (the section api) where there are " +
      "any, or else the embedded portal's own token.",
  }),
  client_certificate_file: path({
    default: "",
    doc: "PEM file with the certificate this host shows to a portal that asks for one (mutual TLS).",
  }),
  client_key_file: path({
    default: "",
    doc: "PEM file with the private key of client_certificate_file.",
  }),
  heartbeat_interval_s: integer({
    default: 10,
    min: 1,
    max: 3_600,
    unit: "s",
    doc:
      "How often the uplink tells the portal how the sensor is. The portal calls a sensor silent when " +
      "two are missing.",
  }),
  egress_inventory_bytes_per_h: integer({
    default: 16 * MIB,
    min: MIB,
    max: 4_096 * MIB,
    unit: "bytes per hour",
    doc:
      "How much of the runtime inventory may leave the host in an hour, before compression. Beyond it what changed " +
      "waits on disk, at most 32 MiB; beyond that it is folded into a snapshot.",
  }),
  egress_telemetry_bytes_per_h: integer({
    default: 16 * MIB,
    min: 0,
    max: 4_096 * MIB,
    unit: "bytes per hour",
    doc:
      "How much heartbeats may say in an hour, before compression. Beyond it they tell only that the sensor lives, " +
      "which stages work and what is wrong, without counters, facts and configuration. Nothing limits detections.",
  }),
  call_timeout_ms: integer({
    default: 10_000,
    min: 100,
    max: 120_000,
    unit: "ms",
    doc: "How long the uplink waits for the portal's answer to one call.",
  }),
  retry_base_ms: integer({
    default: 500,
    min: 10,
    max: 60_000,
    unit: "ms",
    doc: "The longest wait before the first retry; it doubles with each further one.",
  }),
  retry_max_ms: integer({
    default: 15_000,
    min: 10,
    max: 600_000,
    unit: "ms",
    doc: "The longest wait between two retries within the fast window.",
  }),
  retry_jitter: number({
    default: 1,
    min: 0,
    max: 1,
    doc: "Which part of a wait is random: 1 is full jitter, 0 none.",
  }),
  fast_window_s: integer({
    default: 60,
    min: 0,
    max: 86_400,
    unit: "s",
    doc: "How long after the first failure retries come fast; then they come at the slow interval.",
  }),
  slow_interval_s: integer({
    default: 3_600,
    min: 1,
    max: 86_400,
    unit: "s",
    doc: "The wait between two retries after the fast window. A heartbeat that is answered ends it at once.",
  }),
  breaker_failures: integer({
    default: 5,
    min: 1,
    max: 1_000,
    doc:
      "After so many answers in a row that say that the portal is sick (429 and 5xx), or none at all, no call is " +
      "made for a while.",
  }),
  breaker_open_s: integer({
    default: 30,
    min: 1,
    max: 3_600,
    unit: "s",
    doc:
      "How long that while is, and up to half as long again, at random. Then one call is let through to see. What " +
      "the portal asks for itself (Retry-After, gRPC's push-back) counts as well, up to ten minutes at a time.",
  }),
  start_delay_ms_max: integer({
    default: 3_000,
    min: 0,
    max: 600_000,
    unit: "ms",
    doc:
      "Before its first call to a portal of a portal_url the uplink waits a random time up to this, so that a fleet " +
      "that is started at once does not call at once.",
  }),
  stale_after_h: integer({
    default: 24,
    min: 1,
    max: 720,
    unit: "h",
    doc: "How long a detection waits for the portal before it is marked stale and deleted.",
  }),
  outbox_bytes: integer({
    default: 64 * MIB,
    min: MIB,
    max: 4_096 * MIB,
    unit: "bytes",
    doc:
      "How much may wait for the portal. Above it detections of the lowest severity are deleted first, of them " +
      "those of the rule that repeats itself most.",
  }),
  indicator_known_ttl_s: integer({
    default: 86_400,
    min: 60,
    max: 604_800,
    unit: "s",
    doc:
      "How long the portal's verdict on an indicator that a list has is good without asking again. It is asked for " +
      "earlier when the portal tells that it changed.",
  }),
  indicator_unknown_ttl_s: integer({
    default: 21_600,
    min: 60,
    max: 604_800,
    unit: "s",
    doc: "The same for an indicator that no list has.",
  }),
  indicator_remembered_h: integer({
    default: 48,
    min: 1,
    max: 720,
    unit: "h",
    doc:
      "How long after its last sight an indicator is remembered: when the portal learns of it until then, the host " +
      "hears of it though it is not seen again.",
  }),
  indicators_remembered_max: integer({
    default: 100_000,
    min: 1_000,
    max: 5_000_000,
    doc: "How many indicators are remembered; beyond, those seen longest ago are forgotten.",
  }),
  indicator_filter_file: path({
    default: "",
    doc:
      "A filter of all the portal's indicators, from `nightjar portal indicators filter`, which settles most " +
      "look-ups on the host; it is read again when it changes. Empty means none.",
  }),
} satisfies SettingTable;
