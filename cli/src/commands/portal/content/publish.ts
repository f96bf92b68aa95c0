// `nightjar portal content publish`: checks a folder, signs it as a bundle, and gives it to the portal.
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { CHANNEL_DEFAULT, CONTENT_FORMAT, checkManifest, packFolder, signManifest } from "@nightjar/content";
import {
  type ContentManifest,
  ContentManifestSchema,
  type ContentPart,
  ContentService,
  type SignedManifest,
} from "@nightjar/proto";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../../connect/portal.ts";
import type { ExitName } from "../../../exit-codes.ts";
import { checkBundle } from "./check.ts";
import { readPercent, readVersion } from "./read.ts";
import { readSigningKey, signingKeyFile } from "./signing-key.ts";

interface PublishOptions {
  channel: string;
  rollout: string;
  key?: string;
  contentVersion?: string;
  minSensorVersion?: string;
  force?: boolean;
}

/** As the portal takes pieces of parts; proto/nightjar/portal/v1/content.proto says it. */
const PIECE_BYTES = 256 * 1024;

export function publishCommand(environment: Environment): Command {
  return define<PublishOptions>(environment, {
    name: "publish",
    description:
      "Sign a folder as a bundle and publish it. In it may stand: rules/ and suppressions/ with YAML files, " +
      "indicators/, and settings.yaml. Sensors of the channel look for it each minute.",
    arguments: [{ name: "<folder>", description: "what is published" }],
    options: [
      new Option("--channel <name>", "to the sensors of which channel").default(CHANNEL_DEFAULT),
      new Option("--rollout <percent>", "to how many of them; see `rollout`").default("100"),
      new Option("--key <file>", "the private key (default: content/signing-key.pem in the state folder)"),
      new Option("--content-version <number>", "its version (default: the time in milliseconds, which always grows)"),
      new Option("--min-sensor-version <version>", "only to sensors of this version or later, such as 0.1.0"),
      new Option("--force", "publish rules with errors: sensors refuse them and keep what they have"),
    ],
    settings: [...PORTAL_SETTINGS, "rule_engine.rules"],
    examples: [
      "nightjar portal content publish content/",
      "nightjar portal content publish content/ --channel early --rollout 10",
    ],
    action: async (context, options, [folder = ""]) => publish(context, resolve(folder), options),
  });
}

async function publish(context: Context, folder: string, options: PublishOptions): Promise<ExitName> {
  const { output, stateDir } = context;
  const { channel, contentVersion, minSensorVersion: sensorVersionMin = "", force = false } = options;
  const rolloutPercent = readPercent(options.rollout);
  const key = readSigningKey(options.key ?? signingKeyFile(stateDir));
  const nowMs = Date.now();
  const manifest = create(ContentManifestSchema, {
    format: CONTENT_FORMAT,
    // Not what the portal says is next: a hostile one could use up all versions there are.
    version: contentVersion === undefined ? BigInt(nowMs) : readVersion(contentVersion),
    channel,
    createdAt: timestampFromMs(nowMs),
    sensorVersionMin,
    parts: partsOf(folder),
  });
  const problem = checkManifest(manifest);
  if (problem) throw new CommandError("USAGE", `${folder}: ${problem}`);
  const mistakes = checkBundle(context, folder, manifest);
  for (const mistake of mistakes) output.note(mistake);
  if (mistakes.length > 0 && !force) {
    output.note(`${mistakes.length} errors: nothing was published; --force does so all the same`);
    return "FAILED";
  }
  const signedManifest = signManifest(manifest, key);
  const etag = await callPortal(context, ContentService, (content) =>
    deliver(content, folder, manifest, { signedManifest, rolloutPercent }),
  );
  const version = String(manifest.version);
  output.line(
    `published ${manifest.parts.length} files as ${channel} ${version}, for ${rolloutPercent} % of its sensors`,
  );
  output.json({ channel, version, etag, parts: manifest.parts.length, rollout_percent: rolloutPercent });
  return "OK";
}

function partsOf(folder: string): ContentPart[] {
  let parts: ContentPart[];
  try {
    parts = packFolder(folder);
  } catch (error) {
    throw new CommandError("USAGE", `${folder} cannot be read: ${(error as Error).message}`);
  }
  if (parts.length === 0) throw new CommandError("USAGE", `${folder} has no files`);
  return parts;
}

/** Uploads what the portal lacks, and publishes. */
async function deliver(
  content: Client<typeof ContentService>,
  folder: string,
  { parts }: ContentManifest,
  publication: { signedManifest: SignedManifest; rolloutPercent: number },
): Promise<string> {
  const { missingSha256, etag } = await content.publishContent(publication);
  if (missingSha256.length === 0) return etag;
  const missing = new Set(missingSha256.map((digest) => Buffer.from(digest).toString("hex")));
  for (const part of parts) {
    if (missing.delete(Buffer.from(part.sha256).toString("hex"))) await upload(content, folder, part);
  }
  const again = await content.publishContent(publication);
  if (again.missingSha256.length === 0) return again.etag;
  throw new CommandError("FAILED", `${folder} changed while it was published; publish it again`);
}

async function upload(content: Client<typeof ContentService>, folder: string, part: ContentPart): Promise<void> {
  const { name, size, sha256 } = part;
  const file = await open(join(folder, name));
  try {
    for (let at = 0; at === 0 || at < Number(size); at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, Number(size) - at);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
      await content.uploadPart({ sha256, size, offset: BigInt(at), bytes: buffer.subarray(0, bytesRead) });
    }
  } finally {
    await file.close();
  }
}
