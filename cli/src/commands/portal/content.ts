// `nightjar portal content …`: the rules, indicators and settings that sensors are given, and which of them get them.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ContentService, type PublishedContent, PublishedContentSchema } from "@nightjar/proto";
import { Command, Option } from "commander";
import { CommandError, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import { toPlain } from "../../show/plain.ts";
import { table } from "../../show/table.ts";
import { printable } from "../../show/text.ts";
import { keygenCommand } from "./content/keygen.ts";
import { publishCommand } from "./content/publish.ts";
import { readPercent, readVersion } from "./content/read.ts";

const RIGHT_COLUMNS = [2, 3, 4];

/** Each makes one command; the order is that of the help. */
const COMMANDS = [keygenCommand, publishCommand, channelsCommand, rolloutCommand];

export function contentCommand(environment: Environment): Command {
  const content = new Command("content").description("Work with content: what the portal gives to sensors.");
  for (const make of COMMANDS) content.addCommand(make(environment));
  return content;
}

function channelsCommand(environment: Environment): Command {
  return define(environment, {
    name: "channels",
    description:
      "List what is published on each channel, the newest first, and to how many of its sensors it is given.",
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal content channels"],
    action: async (context) => {
      const { published } = await callPortal(context, ContentService, (content) => content.listContent({}));
      const rows = published.map(row);
      for (const line of table(
        [["CHANNEL", "VERSION", "ROLLOUT", "PARTS", "BYTES", "PUBLISHED"], ...rows],
        RIGHT_COLUMNS,
      )) {
        context.output.line(line);
      }
      for (const one of published) context.output.json(toPlain(PublishedContentSchema, one));
      return "OK";
    },
  });
}

function row({ manifest, rolloutPercent, publishedAt }: PublishedContent): string[] {
  const { channel = "", version = 0n, parts = [] } = manifest ?? {};
  const bytes = parts.reduce((sum, { size }) => sum + size, 0n);
  const published = publishedAt ? timestampDate(publishedAt).toISOString() : "";
  return [printable(channel), String(version), `${rolloutPercent} %`, String(parts.length), String(bytes), published];
}

function rolloutCommand(environment: Environment): Command {
  return define<{ contentVersion?: string }>(environment, {
    name: "rollout",
    description:
      "Say to how many of a channel's sensors a version is given; the others keep what they have. Who has it " +
      "keeps it: to take something back, publish what was before anew.",
    arguments: [
      { name: "<channel>", description: "such as stable" },
      { name: "<percent>", description: "0 to 100" },
    ],
    options: [new Option("--content-version <number>", "which version (default: the newest of the channel)")],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal content rollout stable 10", "nightjar portal content rollout stable 100"],
    action: async (context, { contentVersion }, [channel = "", percent = ""]) => {
      const rolloutPercent = readPercent(percent);
      const version = contentVersion === undefined ? undefined : readVersion(contentVersion);
      const told = await callPortal(context, ContentService, async (content) => {
        const chosen = version ?? newestOf(channel, (await content.listContent({})).published);
        await content.setRollout({ channel, version: chosen, rolloutPercent });
        return chosen;
      });
      context.output.line(`${channel} ${told} is given to ${rolloutPercent} % of the channel's sensors`);
      context.output.json({ channel, version: String(told), rollout_percent: rolloutPercent });
      return "OK";
    },
  });
}

function newestOf(channel: string, published: readonly PublishedContent[]): bigint {
  const newest = published.find(({ manifest }) => manifest?.channel === channel)?.manifest;
  if (!newest) throw new CommandError("FAILED", `nothing is published on the channel ${JSON.stringify(channel)}`);
  return newest.version;
}
