// The service account's client id and secret, from wherever they were put; read anew for each token.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { readSmallFile, type Settings } from "@nightjar/stage";
import { failureWords, PortalFailure } from "../failure.ts";
import { SECRET_COMMAND_BYTES_MAX, SECRET_COMMAND_MS_MAX } from "../limits.ts";

export interface ClientCredentials {
  id: string;
  secret: string;
}

/** systemd's LoadCredential= or SetCredentialEncrypted= puts files of these names into $CREDENTIALS_DIRECTORY. */
const SYSTEMD_ID = "nightjar-api-client-id";
const SYSTEMD_SECRET = "nightjar-api-client-secret";

/** Whether any place is named that could have client credentials. */
export function hasClientCredentials(api: Settings["api"], credentialsFolder: string | undefined): boolean {
  const named = [api.client_id, api.client_id_file].some((one) => one !== "");
  return named || fromSystemd(credentialsFolder, SYSTEMD_ID) !== "";
}

/**
 * The first place that has one counts: the setting, its file, systemd's credentials, and for the secret a command.
 *
 * @throws PortalFailure `comm error (401)`, as the portal would say of credentials that are none.
 */
export async function readClientCredentials(
  api: Settings["api"],
  credentialsFolder: string | undefined,
): Promise<ClientCredentials> {
  const id = api.client_id || fromFile(api.client_id_file) || fromSystemd(credentialsFolder, SYSTEMD_ID);
  const secret =
    api.client_secret ||
    fromFile(api.client_secret_file) ||
    fromSystemd(credentialsFolder, SYSTEMD_SECRET) ||
    (await fromCommand(api.client_secret_command));
  if (id === "") throw missing("no client id: set NIGHTJAR_API_CLIENT_ID");
  if (secret === "") throw missing("no client secret: set NIGHTJAR_API_CLIENT_SECRET");
  return { id, secret };
}

function fromFile(path: string): string {
  if (path === "") return "";
  const contents = readSmallFile(path);
  if (contents === undefined) throw missing(`${path} cannot be read`);
  return contents;
}

function fromSystemd(folder: string | undefined, name: string): string {
  return folder === undefined ? "" : (readSmallFile(join(folder, name)) ?? "");
}

/** What a shell command prints, such as one that asks a vault. What it prints is told to nobody, also when it fails. */
function fromCommand(command: string): Promise<string> {
  if (command === "") return Promise.resolve("");
  const options = { timeout: SECRET_COMMAND_MS_MAX, maxBuffer: SECRET_COMMAND_BYTES_MAX };
  return new Promise((resolve, reject) => {
    const child = execFile("/bin/sh", ["-c", command], options, (error, stdout) => {
      if (!error) return resolve(stdout.trim());
      const why = error.killed ? `no answer within ${SECRET_COMMAND_MS_MAX} ms` : `ended with ${error.code}`;
      reject(missing(`api.client_secret_command: ${why}`));
    });
    child.stdin?.end();
  });
}

function missing(resp: string): PortalFailure {
  return new PortalFailure("comm", failureWords.unauthenticated.message, resp);
}
