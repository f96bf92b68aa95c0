// Renders nats-server's configuration: loopback, JetStream, and one user with its grants for each key.
import { MESSAGE_BYTES_MAX } from "@nightjar/stage";
import { HOST_ACCOUNT } from "./account.ts";
import { atLeast, VERSION_WITH_SYNC_INTERVAL, type Version } from "./binary.ts";
import type { BusFiles } from "./files.ts";
import type { Grants } from "./grants.ts";
import { type LeafNode, renderExports, renderRemote, renderSite } from "./leaf-node.ts";
import { quote } from "./quote.ts";

const LOG_BYTES_MAX = 5 * 1024 * 1024;
export const LOG_FILES_MAX = 3;
/** Streams are file-backed; this is for the server's own needs. */
const MEMORY_STORE_BYTES_MAX = 16 * 1024 * 1024;
/** What acknowledged messages a power cut may cost; shorter costs CPU (docs of nats-server: sync_interval). */
const SYNC_INTERVAL_S = 1;
/** A dead client is noticed after two missed pings. */
const PING_INTERVAL_S = 20;
const CONNECTIONS_MAX = 64;

export interface ServerUser {
  publicKey: string;
  name: string;
  grants: Grants;
}

export interface Configuration {
  files: BusFiles;
  version: Version;
  port: number;
  /** 0 is off. */
  monitorPort: number;
  /** Bytes all streams together may reserve. */
  storeBytes: number;
  users: readonly ServerUser[];
  leaf: LeafNode;
}

/** The text of nats-server.conf. */
export function renderConfiguration(configuration: Configuration): string {
  const { files, port, monitorPort, storeBytes, users, leaf } = configuration;
  const modern = atLeast(configuration.version, VERSION_WITH_SYNC_INTERVAL);
  return [
    "# Written by the stage bus at each start; changes are lost.",
    'server_name: "nightjar"',
    'host: "127.0.0.1"',
    `port: ${port}`,
    ...(monitorPort > 0 ? [`http: "127.0.0.1:${monitorPort}"`] : []),
    `pid_file: ${quote(files.pid)}`,
    `log_file: ${quote(files.log)}`,
    `logfile_size_limit: ${LOG_BYTES_MAX}`,
    ...(modern ? [`logfile_max_num: ${LOG_FILES_MAX}`] : []),
    `max_payload: ${MESSAGE_BYTES_MAX}`,
    `max_connections: ${CONNECTIONS_MAX}`,
    `ping_interval: "${PING_INTERVAL_S}s"`,
    "jetstream {",
    `  store_dir: ${quote(files.store)}`,
    `  max_memory_store: ${MEMORY_STORE_BYTES_MAX}`,
    `  max_file_store: ${storeBytes}`,
    ...(modern ? [`  sync_interval: "${SYNC_INTERVAL_S}s"`] : []),
    "}",
    ...renderRemote(leaf),
    "accounts {",
    `  ${HOST_ACCOUNT}: {`,
    "    jetstream: enabled",
    ...renderExports(leaf),
    "    users: [",
    ...users.flatMap(renderUser),
    "    ]",
    "  }",
    ...renderSite(leaf),
    "}",
    "",
  ].join("\n");
}

function renderUser({ name, publicKey, grants }: ServerUser): string[] {
  return [
    `    # ${name}`,
    `    { nkey: ${publicKey}, permissions: {`,
    `      publish: { allow: [${grants.publish.map(quote).join(", ")}] }`,
    `      subscribe: { allow: [${grants.subscribe.map(quote).join(", ")}] }`,
    "    } }",
  ];
}
