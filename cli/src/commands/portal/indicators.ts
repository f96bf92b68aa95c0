// `nightjar portal indicators …`: the lists of known bad files, addresses and domains that a portal has.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { buildFilter } from "@nightjar/indicators";
import { IntelService, StoredIndicatorSchema } from "@nightjar/proto";
import { Command, Option } from "commander";
import { type Context, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import { indicatorIn, verdictRow } from "../../indicators/show.ts";
import { toPlain } from "../../show/plain.ts";
import { table } from "../../show/table.ts";
import { importIndicatorsCommand } from "./import-indicators.ts";

const PAGE_INDICATORS = 1_000;

/** Each makes one command; the order is that of the help. */
const COMMANDS = [importIndicatorsCommand, listCommand, removeCommand, filterCommand];

export function indicatorsCommand(environment: Environment): Command {
  const indicators = new Command("indicators").description("Work with a portal's lists of indicators of compromise.");
  for (const make of COMMANDS) indicators.addCommand(make(environment));
  return indicators;
}

function listCommand(environment: Environment): Command {
  return define<{ source?: string }>(environment, {
    name: "list",
    description: "List the portal's lists; with a value or --source, their entries.",
    arguments: [{ name: "[value]", description: "a SHA-256 digest, an address or a domain" }],
    options: [new Option("--source <name>", "the entries of this list")],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal indicators list", "nightjar portal indicators list evil.example"],
    action: async (context, { source = "" }, [text]) => {
      const value = text === undefined ? "" : indicatorIn(text).value;
      await (source === "" && value === "" ? listSources(context) : listEntries(context, { source, value }));
      return "OK";
    },
  });
}

async function listSources({ output, ...context }: Context): Promise<void> {
  const { sources } = await callPortal(context, IntelService, (client) => client.listIndicatorSources({}));
  const rows = sources.map(({ name, indicators, expired, lastImportAt }) => {
    const imported = lastImportAt ? timestampDate(lastImportAt).toISOString() : "";
    output.json({ source: name, indicators: Number(indicators), expired: Number(expired), last_import_at: imported });
    return [name, String(indicators), String(expired), imported];
  });
  for (const line of table([["SOURCE", "INDICATORS", "EXPIRED", "LAST IMPORT"], ...rows], [1, 2])) output.line(line);
}

async function listEntries(context: Context, wanted: { source: string; value: string }): Promise<void> {
  await callPortal(context, IntelService, async (client) => {
    for (
      let after: Uint8Array = new Uint8Array(), more = true;
      more && !context.signal.aborted;
      more = after.length > 0
    ) {
      const page = await client.listIndicators({ ...wanted, after, limit: PAGE_INDICATORS });
      for (const line of table(page.indicators.map(({ verdict }) => verdictRow(verdict)))) context.output.line(line);
      for (const one of page.indicators) context.output.json(toPlain(StoredIndicatorSchema, one));
      after = page.next;
    }
  });
}

function removeCommand(environment: Environment): Command {
  return define(environment, {
    name: "remove",
    description: "Remove a list, or one entry of it. Hosts that saw what it named are told.",
    arguments: [
      { name: "<source>", description: "the list" },
      { name: "[value]", description: "only this digest, address or domain" },
    ],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal indicators remove feed", "nightjar portal indicators remove feed 192.0.2.7"],
    action: async (context, _options, [source = "", text]) => {
      const only = text === undefined ? {} : { indicator: indicatorIn(text) };
      const answer = await callPortal(context, IntelService, (client) => client.removeIndicators({ source, ...only }));
      context.output.line(`removed ${answer.removed} indicators of ${source}`);
      context.output.json({ source, removed: Number(answer.removed) });
      return answer.removed === 0n ? "FAILED" : "OK";
    },
  });
}

function filterCommand(environment: Environment): Command {
  return define(environment, {
    name: "filter",
    description:
      "Write the filter of all indicators: hosts that have it, as indicators.filter in a bundle of content or by " +
      "uplink.indicator_filter_file, settle most of what they see without asking. What is imported later reaches " +
      "them all the same.",
    arguments: [{ name: "<file>", description: "where to" }],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal indicators filter /etc/nightjar/indicators.filter"],
    action: async (context, _options, [file = ""]) => {
      const { hashes, generation } = await callPortal(context, IntelService, (client) => allHashes(client));
      const bytes = buildFilter(hashes, generation);
      writeFileSync(resolve(file), bytes);
      context.output.line(`${file}: ${hashes.length} indicators in ${bytes.length} bytes`);
      context.output.json({ file, indicators: hashes.length, bytes: bytes.length, generation: String(generation) });
      return "OK";
    },
  });
}

async function allHashes(client: Client<typeof IntelService>): Promise<{ hashes: bigint[]; generation: bigint }> {
  const hashes: bigint[] = [];
  let first: bigint | undefined;
  let after: Uint8Array = new Uint8Array();
  do {
    const page = await client.listHashes({ after });
    // What changes between two pages is told to sensors as a change, since it is later than the first.
    first ??= page.generation;
    for (const hash of page.hashes) hashes.push(hash);
    after = page.next;
  } while (after.length > 0);
  return { hashes, generation: first };
}
