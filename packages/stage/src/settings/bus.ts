// The settings of the stage bus.
import { integer, path, type Setting, type SettingTable, text } from "../setting.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** The least disk the streams can work with: each must hold some of the largest messages. */
const DISK_BYTES_MIN = 64 * MIB;
const DISK_BYTES_MAX = 1024 * GIB;

const bytes = integer({
  default: 0,
  min: DISK_BYTES_MIN,
  max: DISK_BYTES_MAX,
  unit: "bytes",
  doc:
    "Disk that all streams together may take. 0 derives it: a tenth of the free disk, at most 4 GiB, " +
    "at least 64 MiB.",
});

const diskBytes: Setting<number> & { readonly min: number } = {
  ...bytes,
  min: DISK_BYTES_MIN,
  allowed: `0, or ${bytes.allowed}`,
  read: (value) => (String(value).trim() === "0" ? 0 : bytes.read(value)),
};

export const busSettings = {
  server_binary: path({
    default: "",
    doc:
      "The nats-server to run. Empty means the first on the PATH, then `.tools/nats-server/nats-server` " +
      "in the checkout.",
  }),
  disk_bytes: diskBytes,
  monitor_port: integer({
    default: 0,
    min: 0,
    max: 65535,
    doc: "Loopback port of nats-server's monitoring pages, which have no authentication. 0 leaves them off.",
  }),
  leaf_url: text({
    default: "",
    secret: true,
    doc:
      "Where a site's own NATS cluster takes leaf nodes, such as `tls://nats.example.com:7422`: events, facts and " +
      "detections can be subscribed to there, and nothing comes back. They are not redacted: the site keeps them as " +
      "it keeps its hosts. Empty is off.",
  }),
  leaf_credentials: path({
    default: "",
    doc: "NATS credentials file (`.creds`) with which the host is let in there. Empty: the URL's own, or none.",
  }),
  leaf_ca: path({
    default: "",
    doc: "PEM file with the authorities of that cluster's certificates. Empty: those of the system.",
  }),
} satisfies SettingTable;
