// The settings of the portal: where it listens, how it is known, where it stores.
import { integer, path, type SettingTable, text } from "../setting.ts";

export const portalSettings = {
  port: integer({
    default: 0,
    min: 0,
    max: 65_535,
    doc:
      "The port where the portal listens. 0 takes a free one at the first start and " +
      "keeps it as long as no one else has it.",
  }),
  host: text({
    default: "127.0.0.1",
    doc:
      "The address where the portal listens: 0.0.0.0 or :: for all of the host's. Others than loopback need a " +
      "certificate that sensors trust.",
  }),
  certificate_file: path({
    default: "",
    doc:
      "PEM file with the portal's certificate and those between it and its authority. Empty has the portal make its " +
      "own, for loopback alone.",
  }),
  private_key_file: path({
    default: "",
    doc: "PEM file with the key of that certificate.",
  }),
  database_url: text({
    default: "",
    secret: true,
    doc:
      "The PostgreSQL database that all portals of a fleet share, such as " +
      "postgresql://nightjar@db.example.org/nightjar. What it leaves out is as libpq has it: PGPASSWORD, ~/.pgpass " +
      "and so on. Empty keeps the store in the state folder.",
  }),
  database_connections: integer({
    default: 8,
    min: 2,
    max: 200,
    doc: "How many connections to that database the portal has at most.",
  }),
  retention_days: integer({
    default: 30,
    min: 1,
    max: 3_650,
    unit: "days",
    doc: "How long the portal keeps a detection after it came.",
  }),
  token_lifetime_s: integer({
    default: 3_600,
    min: 60,
    max: 86_400,
    unit: "s",
    doc: "How long an access token is good that the portal gives for a service account's credentials.",
  }),
  client_authorities_file: path({
    default: "",
    doc:
      "PEM file with authorities: who connects must show a certificate that one of them signed (mutual TLS). Empty " +
      "asks for none.",
  }),
} satisfies SettingTable;
