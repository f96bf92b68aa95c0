// The settings of outputs beside the portal: each is off until it has an address. Secrets stand in files of their own.
import { choice, integer, path, type Setting, type SettingTable, text } from "../setting.ts";

const MIB = 1024 * 1024;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** "host:port", an IPv6 address in brackets. */
const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):\d{1,5}$/;
/** packages/formats names them; the settings import no formats. */
const FORMATS = ["falco", "ecs", "ocsf"] as const;

function format(output: string) {
  return choice({ default: "falco", choices: FORMATS, doc: `The form of a detection in ${output}.` });
}

function url(doc: string): Setting<string> {
  return {
    ...text({ default: "", secret: true, doc }),
    allowed: "an address with https://, or with http:// on this host itself (localhost, 127.0.0.1, [::1])",
    read: (value) => (typeof value === "string" && (value === "" || isUrl(value)) ? value : undefined),
  };
}

/** Without TLS nothing leaves the host. */
function isUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));
}

function hostAndPort(doc: string): Setting<string> {
  return {
    ...text({ default: "", doc }),
    allowed: "a host and its port, such as syslog.example.org:6514",
    read: (value) => (typeof value === "string" && (value === "" || HOST_AND_PORT.test(value)) ? value : undefined),
  };
}

function authorities(output: string): Setting<string> {
  return path({
    default: "",
    doc: `PEM file with the certificates that the receiver of ${output} is checked against. Empty means the system's.`,
  });
}

function headers(output: string): Setting<string> {
  return path({
    default: "",
    doc: `File with headers for each request of ${output}, a line each, such as \`Authorization: Bearer …\`.`,
  });
}

export const outputsSettings = {
  file_path: path({
    default: "",
    doc: "The file that detections are appended to, a line each. Empty: no such output.",
  }),
  file_format: format("the file"),
  file_bytes_max: integer({
    default: 64 * MIB,
    min: 64 * 1024,
    max: 16_384 * MIB,
    unit: "bytes",
    doc: "How large the file grows before it is put aside as `<file>.1` and a new one is begun.",
  }),
  file_kept: integer({ default: 5, min: 0, max: 1_000, doc: "How many files that were put aside are kept." }),
  syslog_address: hostAndPort("Where syslog (RFC 5424) is sent over TLS (RFC 5425). Empty: no such output."),
  syslog_format: format("the message"),
  syslog_facility: integer({
    default: 10,
    min: 0,
    max: 23,
    doc: "The facility's number of RFC 5424: 10 is security and authorization, 16 to 23 are local0 to local7.",
  }),
  syslog_ca_file: authorities("syslog"),
  syslog_certificate_file: path({
    default: "",
    doc: "PEM file with the certificate to show to the receiver of syslog; its key is in `syslog_key_file`.",
  }),
  syslog_key_file: path({ default: "", doc: "PEM file with the key of `syslog_certificate_file`." }),
  webhook_url: url("Where each detection is posted as JSON. Empty: no such output."),
  webhook_format: format("the request's body"),
  webhook_secret_file: path({
    default: "",
    doc:
      "File with the secret that requests are signed with, by [Standard Webhooks](../outputs.md#webhook): `whsec_` " +
      "and base64, or any text.",
  }),
  webhook_headers_file: headers("the webhook"),
  webhook_ca_file: authorities("the webhook"),
  otlp_url: url(
    "Where OpenTelemetry logs are posted as protobuf, such as https://collector.example.org:4318/v1/logs. Empty: no " +
      "such output.",
  ),
  otlp_format: format("a log record's body"),
  otlp_headers_file: headers("OTLP"),
  otlp_ca_file: authorities("OTLP"),
  queue_bytes: integer({
    default: 64 * MIB,
    min: MIB,
    max: 4_096 * MIB,
    unit: "bytes",
    doc:
      "How much may wait for each output. Above it the detections of the lowest severity are deleted first, of them " +
      "those whose rule repeats most.",
  }),
  stale_after_h: integer({
    default: 24,
    min: 1,
    max: 720,
    unit: "h",
    doc: "How long a detection waits for an output before it is deleted.",
  }),
  timeout_ms: integer({
    default: 10_000,
    min: 100,
    max: 120_000,
    unit: "ms",
    doc: "How long a receiver may take for one request or batch.",
  }),
  retry_base_ms: integer({
    default: 500,
    min: 10,
    max: 60_000,
    unit: "ms",
    doc: "The longest wait before the first retry; it doubles with each further one.",
  }),
  retry_max_ms: integer({
    default: 60_000,
    min: 10,
    max: 3_600_000,
    unit: "ms",
    doc: "The longest wait between two retries, unless the receiver asks for a longer one (`Retry-After`).",
  }),
} satisfies SettingTable;
